// Keeps processes running until it is told to stop; then none of them is left.
import { makePrivateDirectory } from './files.ts'
import { forgetProcess, recordProcess } from './leftovers.ts'
import { type ProcessExit, type ProcessSpec, type RunningProcess, startProcess } from './process.ts'

export interface SupervisorOptions {
  /** Where running processes are written down, for the next start after a kill of this one. */
  readonly runDirectory: string
  /** Hears of every exit that nobody asked for; the process starts again after `restartMs`. */
  readonly onExit: (exit: UnexpectedExit) => void
}

export interface UnexpectedExit extends ProcessExit {
  readonly name: string
  readonly restartMs: number
}

export interface Supervisor extends AsyncDisposable {
  /** Does nothing once `stop` was called. */
  start(spec: ProcessSpec): void
  restart(name: string): Promise<void>
  /** Stops one process for good. */
  remove(name: string): Promise<void>
  signal(name: string, signal: NodeJS.Signals): void
  pids(): ReadonlyMap<string, number>
  /** SIGTERM to all at once, SIGKILL to those that are left after 3 seconds. */
  stop(): Promise<void>
}

interface Member {
  readonly spec: ProcessSpec
  running: RunningProcess | undefined
  startedMs: number
  failures: number
  isWanted: boolean
  timer: NodeJS.Timeout | undefined
}

const graceMs = 3000
const backoffMsMin = 100
const backoffMsMax = 5000
const steadyMs = 10_000

export function superviseProcesses(options: SupervisorOptions): Supervisor {
  const members = new Map<string, Member>()
  let isStopping = false
  makePrivateDirectory(options.runDirectory)

  function launch(member: Member): void {
    if (isStopping || !member.isWanted) return
    const { spec } = member
    const running = startProcess(spec)
    member.running = running
    member.startedMs = performance.now()
    recordProcess(options.runDirectory, spec.name, running.pid, spec.mark)
    void running.exited.then((exit) => ended(member, exit))
  }

  function ended(member: Member, exit: ProcessExit): void {
    member.running = undefined
    forgetProcess(options.runDirectory, member.spec.name)
    if (isStopping || !member.isWanted) return
    const restartMs = nextBackoff(member)
    member.timer = setTimeout(() => launch(member), restartMs)
    options.onExit({ ...exit, name: member.spec.name, restartMs })
  }

  async function end(member: Member): Promise<void> {
    member.isWanted = false
    clearTimeout(member.timer)
    await endProcess(member.running)
  }

  const find = (name: string): Member => {
    const member = members.get(name)
    if (member === undefined) throw new RangeError(`no such process: '${name}'`)
    return member
  }

  const supervisor: Supervisor = {
    start(spec) {
      if (members.has(spec.name)) throw new RangeError(`started before: '${spec.name}'`)
      const member = newMember(spec)
      members.set(spec.name, member)
      launch(member)
    },
    async restart(name) {
      const member = find(name)
      await end(member)
      member.isWanted = true
      launch(member)
    },
    async remove(name) {
      await end(find(name))
      members.delete(name)
    },
    signal: (name, signal) => find(name).running?.signal(signal),
    pids: () =>
      new Map(
        [...members].flatMap(([name, { running }]) => (running ? [[name, running.pid]] : [])),
      ),
    async stop() {
      isStopping = true
      await Promise.all([...members.values()].map(end))
    },
    [Symbol.asyncDispose]: () => supervisor.stop(),
  }
  return supervisor
}

const newMember = (spec: ProcessSpec): Member => ({
  ...{ spec, running: undefined, startedMs: 0, failures: 0, isWanted: true, timer: undefined },
})

function nextBackoff(member: Member): number {
  const wasSteady = performance.now() - member.startedMs > steadyMs
  member.failures = wasSteady ? 1 : member.failures + 1
  return Math.min(backoffMsMax, backoffMsMin * 2 ** (member.failures - 1))
}

async function endProcess(running: RunningProcess | undefined): Promise<void> {
  if (running === undefined) return
  running.signal('SIGTERM')
  const timer = setTimeout(() => running.signal('SIGKILL'), graceMs)
  await running.exited
  clearTimeout(timer)
}
