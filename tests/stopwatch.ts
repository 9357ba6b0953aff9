// For limits in seconds: that a busy machine lets it wait is not the fault of what is timed.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/**
 * Tells the ms since now, without those in which what is timed was ready to run and got no processor:
 * the process that was started since, or where there is none this one. Where the kernel does not tell,
 * as outside of Linux, all of them.
 */
export function startStopwatch(): () => number {
  const began = performance.now()
  const [others, own] = [new Set(children()), waitedMs(process.pid)]
  return () => {
    const started = children().filter((pid) => !others.has(pid))
    // They wait side by side: more than the longest wait may not be taken off.
    const waited = started.length > 0 ? started.map(waitedMs) : [waitedMs(process.pid) - own]
    return performance.now() - began - Math.max(...waited)
  }
}

/** Of the main thread, as in the kernel's Documentation/scheduler/sched-stats.rst. */
function waitedMs(pid: number): number {
  const [, waitedNs = '0'] = read(`/proc/${pid}/schedstat`).split(' ')
  return Number(waitedNs) / 1e6
}

function children(): number[] {
  const threads = existsSync('/proc/self/task') ? readdirSync('/proc/self/task') : []
  const pids = threads.map((thread) => read(`/proc/self/task/${thread}/children`))
  return pids.join(' ').match(/\d+/g)?.map(Number) ?? []
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
