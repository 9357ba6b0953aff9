/** Resolves when the process is told to end; until then it lives, also with nothing to do. */
export function toldToStop(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  // A handler of a signal does not keep Node from ending by itself.
  const held = setInterval(() => {}, aDayMs)
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      clearInterval(held)
      resolve()
    })
  return promise
}

const aDayMs = 24 * 3600 * 1000
