const checkSecondsMax = 60
const checksInALife = 20

/**
 * Calls `renew` twenty times in the life of what it renews, and once a minute at least, until disposed.
 * A failure is reported and tried again: there is half a life left for it.
 */
export function keepRenewed(
  renew: () => void,
  options: {
    readonly what: string
    readonly lifetimeSeconds: () => number
    readonly report: (line: string) => void
  },
): Disposable {
  const { what, lifetimeSeconds, report } = options
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const seconds = Math.min(lifetimeSeconds() / checksInALife, checkSecondsMax)
    timer = setTimeout(check, seconds * 1000)
  }
  const check = (): void => {
    try {
      renew()
    } catch (error) {
      report(`${what} is not renewed: ${String(error)}`)
    }
    wait()
  }
  wait()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
