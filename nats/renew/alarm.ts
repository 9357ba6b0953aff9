export interface Alarm {
  /** Resolves after this time or when it is rung. */
  wait(ms: number): Promise<void>
  ring(): void
}

export function makeAlarm(): Alarm {
  let ring = (): void => {}
  return {
    async wait(ms) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, ms)
      ring = resolve
      await promise
      clearTimeout(timer)
    },
    ring: () => ring(),
  }
}
