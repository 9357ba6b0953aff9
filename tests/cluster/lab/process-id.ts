// A process that is meant and no other: ids are used again, together with the start time they are not.
import { readFileSync } from 'node:fs'

export interface ProcessId {
  readonly pid: number
  /** In ticks since the machine started. */
  readonly startedAt: number
}

/** Throws when there is no such process. */
export function identify(pid: number): ProcessId {
  const startedAt = startOf(pid)
  if (startedAt === undefined) throw new Error(`no process ${pid}`)
  return { pid, startedAt }
}

/** True while that very process lives. */
export function isSame({ pid, startedAt }: ProcessId): boolean {
  return startOf(pid) === startedAt
}

export function killProcess(id: ProcessId, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (!isSame(id)) return
  try {
    process.kill(id.pid, signal)
  } catch {
    // It has ended since.
  }
}

function startOf(pid: number): number | undefined {
  try {
    // proc(5): the name, in parentheses, may hold anything; the 22nd field is the start.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' ? undefined : Number(fields[19])
  } catch {
    return undefined
  }
}
