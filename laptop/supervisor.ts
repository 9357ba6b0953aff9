// Keeps processes running until it is told to stop; then none of them is left.
import { makePrivateFolder } from '../store/files.ts'
import { forgetProcess, recordProcess } from './leftovers.ts'
import { type ProcessExit, type ProcessSpec, type RunningProcess, startProcess } from './process.ts'

export interface SupervisorOptions {
  /** Where running processes are written down, for the next start after a kill of this one. */
  readonly runDirectory: string
  /** Hears of every exit that nobody asked for; the process starts again after `restartMs`. */
  readonly onExit: (exit: UnexpectedExit) => void
  /** Hears every line of their standard errors. */
  readonly onLine?: (line: string) => void
}

export interface UnexpectedExit extends ProcessExit {
  readonly name: string
  readonly restartMs: number
}

export interface Supervisor extends AsyncDisposable {
  /** Does nothing once `stop` was called. */
  start(spec: ProcessSpec): void
  /** `drain`: clients are sent away first. */
  restart(name: string, options?: { readonly drain?: boolean }): Promise<void>
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

interface Ending {
  readonly signal: NodeJS.Signals
  readonly graceMs: number
}
const terminate: Ending = { signal: 'SIGTERM', graceMs: 3000 }
/** nats-server ends when its clients have left: within 30 s, as its configuration says. */
const lameDuck: Ending = { signal: 'SIGUSR2', graceMs: 40_000 }
const backoffMsMin = 100
const backoffMsMax = 5000
const steadyMs = 10_000

interface Supervision {
  readonly options: SupervisorOptions
  readonly members: Map<string, Member>
  isStopping: boolean
}

export function superviseProcesses(options: SupervisorOptions): Supervisor {
  makePrivateFolder(options.runDirectory)
  const supervision: Supervision = { options, members: new Map(), isStopping: false }
  const { members } = supervision
  const stop = async (): Promise<void> => {
    supervision.isStopping = true
    await Promise.all([...members.values()].map((member) => end(member)))
  }
  return {
    start: (spec) => add(supervision, spec),
    restart: async (name, { drain = false } = {}) => {
      const member = find(supervision, name)
      await end(member, drain ? lameDuck : terminate)
      member.isWanted = true
      launch(supervision, member)
    },
    remove: async (name) => {
      await end(find(supervision, name))
      members.delete(name)
    },
    signal: (name, signal) => find(supervision, name).running?.signal(signal),
    pids: () => pidsOf(members),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function add(supervision: Supervision, spec: ProcessSpec): void {
  const { members } = supervision
  if (members.has(spec.name)) throw new RangeError(`started before: '${spec.name}'`)
  const state = { running: undefined, startedMs: 0, failures: 0, isWanted: true, timer: undefined }
  const member = { spec, ...state }
  members.set(spec.name, member)
  launch(supervision, member)
}

function find({ members }: Supervision, name: string): Member {
  const member = members.get(name)
  if (member === undefined) throw new RangeError(`no such process: '${name}'`)
  return member
}

function launch(supervision: Supervision, member: Member): void {
  if (supervision.isStopping || !member.isWanted) return
  const { spec } = member
  const running = startProcess(spec, supervision.options.onLine)
  member.running = running
  member.startedMs = performance.now()
  recordProcess(supervision.options.runDirectory, spec.name, running.pid, spec.mark)
  void running.exited.then((exit) => onEnd(supervision, member, exit))
}

function onEnd(supervision: Supervision, member: Member, exit: ProcessExit): void {
  const { options, isStopping } = supervision
  member.running = undefined
  forgetProcess(options.runDirectory, member.spec.name)
  if (isStopping || !member.isWanted) return
  const restartMs = nextBackoff(member)
  member.timer = setTimeout(() => launch(supervision, member), restartMs)
  options.onExit({ ...exit, name: member.spec.name, restartMs })
}

function pidsOf(members: ReadonlyMap<string, Member>): Map<string, number> {
  const running = [...members].flatMap(([name, member]) =>
    member.running === undefined ? [] : [[name, member.running.pid] as const],
  )
  return new Map(running)
}

async function end(member: Member, how = terminate): Promise<void> {
  member.isWanted = false
  clearTimeout(member.timer)
  await endProcess(member.running, how)
}

function nextBackoff(member: Member): number {
  const wasSteady = performance.now() - member.startedMs > steadyMs
  member.failures = wasSteady ? 1 : member.failures + 1
  return Math.min(backoffMsMax, backoffMsMin * 2 ** (member.failures - 1))
}

async function endProcess(
  running: RunningProcess | undefined,
  { signal, graceMs }: Ending,
): Promise<void> {
  if (running === undefined) return
  running.signal(signal)
  const timer = setTimeout(() => running.signal('SIGKILL'), graceMs)
  await running.exited
  clearTimeout(timer)
}
