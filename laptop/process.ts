// One child process: how it is started, how it ends, and how it is known again later.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface ProcessSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** A text of its command line that no other process has, such as the path of its configuration. */
  readonly mark: string
  /** Where to look for its last words. */
  readonly log: string
  readonly env?: NodeJS.ProcessEnv
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last thing that it said, from its standard error or else its log. */
  readonly lastLine: string
}

export interface RunningProcess {
  readonly pid: number
  readonly exited: Promise<ProcessExit>
  signal(signal: NodeJS.Signals): void
}

const errorCharactersMax = 4096
const lastWordsMs = 100

/**
 * In a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone; on Linux it
 * gets SIGTERM when the supervisor dies, however that happens.
 */
export function startProcess(
  spec: ProcessSpec,
  hear: (line: string) => void = () => {},
): RunningProcess {
  const [command = spec.command, ...args] = [...dieWithParent(), spec.command, ...spec.args]
  const { env = process.env } = spec
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'], env })
  const errors = collectErrors(child, hear)
  const exited = new Promise<ProcessExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) =>
      resolve({ code, signal, lastLine: lastLineOf(errors.text) ?? lastLogLine(spec.log) })
    child.once('error', (error) => resolve({ code: null, signal: null, lastLine: error.message }))
    child.once('close', end)
    // A child of its own may hold its standard error open.
    child.once('exit', (code, signal) => setTimeout(end, lastWordsMs, code, signal))
  })
  return { pid: child.pid ?? 0, exited, signal: (signal) => void child.kill(signal) }
}

function collectErrors(child: ChildProcess, hear: (line: string) => void): { text: string } {
  const errors = { text: '' }
  let begun = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors.text = (errors.text + chunk).slice(-errorCharactersMax)
    const lines = (begun + chunk).split('\n')
    begun = (lines.pop() ?? '').slice(-errorCharactersMax)
    for (const line of lines) hear(line)
  })
  return errors
}

let prefix: readonly string[] | undefined

/** util-linux has a command for prctl(PR_SET_PDEATHSIG); where it is missing, the next start cleans up. */
function dieWithParent(): readonly string[] {
  const wrapper = ['setpriv', '--pdeathsig', 'TERM']
  prefix ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0 ? wrapper : []
  return prefix
}

function lastLogLine(log: string): string {
  try {
    return lastLineOf(readFileSync(log, 'utf8').slice(-errorCharactersMax)) ?? 'its log is empty'
  } catch {
    return 'it has no log'
  }
}

const lastLineOf = (text: string) => text.trimEnd().split('\n').at(-1) || undefined
