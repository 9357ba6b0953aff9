// What processes use, as Linux tells it; elsewhere nothing is known.
import { readFileSync } from 'node:fs'

/** Share of one core on average, and the most memory that the function ever held. */
export interface Shares {
  readonly function: number
  readonly server: number
  readonly requestor: number
  readonly functionPeakMb: number
}
type Pids = Readonly<Record<'function' | 'server' | 'requestor', number>>

export async function measureUsage<Result>(
  pids: Pids,
  run: () => Promise<Result>,
): Promise<{ result: Result; shares?: Shares }> {
  const [started, before] = [performance.now(), readAll(pids)]
  const result = await run()
  const [tookMs, after] = [performance.now() - started, readAll(pids)]
  if (before === undefined || after === undefined) return { result }
  const share = (of: keyof Pids): number => (after[of].cpuMs - before[of].cpuMs) / tookMs
  const functionPeakMb = after.function.peakMb
  const shares = {
    function: share('function'),
    server: share('server'),
    requestor: share('requestor'),
  }
  return { result, shares: { ...shares, functionPeakMb } }
}

interface Usage {
  /** All threads together. */
  readonly cpuMs: number
  readonly peakMb: number
}

// USER_HZ, which is 100 on every architecture that Node runs on.
const msPerTick = 10

function readAll(pids: Pids): Record<keyof Pids, Usage> | undefined {
  try {
    const { function: asked, server, requestor } = pids
    return {
      function: readUsage(asked),
      server: readUsage(server),
      requestor: readUsage(requestor),
    }
  } catch {
    return undefined
  }
}

function readUsage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  // Its name may hold spaces and brackets; the last bracket ends it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return { cpuMs: ticks * msPerTick, peakMb: (Number(peak) * 1024) / 1e6 }
}
