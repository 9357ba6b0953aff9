// For limits in seconds: what this machine does besides is not the fault of what is timed.
const everyMs = 100
const burstMs = 5

/**
 * Tells the ms since now, as a machine would that has nothing else to do. All the while this thread
 * works a little, and hears how much longer that takes than the processor is at it.
 */
export function startStopwatch(): () => number {
  const began = performance.now()
  const spent = { cpuMs: 0, clockMs: 0 }
  const work = (): void => {
    const start = performance.now()
    const before = process.threadCpuUsage()
    let cpuMs = 0
    while (cpuMs < burstMs) {
      const { user, system } = process.threadCpuUsage(before)
      cpuMs = (user + system) / 1000
    }
    spent.cpuMs += cpuMs
    spent.clockMs += performance.now() - start
  }
  work()
  const timer = setInterval(work, everyMs).unref()
  return () => {
    clearInterval(timer)
    return ((performance.now() - began) * spent.cpuMs) / Math.max(spent.clockMs, spent.cpuMs)
  }
}
