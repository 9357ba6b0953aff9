// A node as the kernel sees it: its own network, mounts, processes, name and queues. Whatever is
// started in it ends with its first process.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../../until.ts'
import { joinFiles, makeCgroups } from './cgroups.ts'
import { cleanCgroups, namespaceFile } from './clean.ts'
import type { LabPlace } from './place.ts'
import { identify, killProcess } from './process-id.ts'
import { run, type RunOptions } from './run.ts'

export interface Cell {
  readonly name: string
  readonly folder: string
  /** A program to its end, in the node's namespaces. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>
  /** A program that stays; what it prints goes to `<name>.log` in the node's folder. */
  start(name: string, command: readonly string[]): void
  /** What went wrong with a program that should have stayed, or nothing. */
  failure(): string | undefined
  /** As a power cut: at once, and nothing is told. */
  kill(): Promise<void>
}

export interface CellOptions {
  readonly name: string
  readonly folder: string
  readonly pause: string
  /** PATH within the node. */
  readonly path: string
}

const initProgram = fileURLToPath(new URL('cell-init.sh', import.meta.url))
const joinScript = 'for each in $CGROUPS; do echo 0 > $each; done; exec "$@"'

/** The network namespace is there already. */
export async function startCell(place: LabPlace, options: CellOptions): Promise<Cell> {
  const { name, folder, path } = options
  for (const each of ['cgroup', 'lib', 'log', 'sysctl'])
    mkdirSync(join(folder, each), { recursive: true })
  rmSync(join(folder, 'cell.ready'), { force: true })
  place.keep({ cgroups: [name] })
  makeCgroups(name)
  const pid = await startInit(place, options)
  const enter = ['nsenter', '-t', String(pid), '-m', '-p', '-n', '-u', '-i', '--wd=/', '--']
  const environment = { PATH: path, CGROUPS: joinFiles(name).join(' '), HOME: '/run' }
  const failures: string[] = []
  let isKilled = false
  return {
    name,
    folder,
    run: (command, args, more = {}) => {
      const [program = '', ...rest] = [...enter, command, ...args]
      return run(program, rest, { ...more, env: { ...environment, ...more.env } })
    },
    start: (daemon, command) => {
      const log = join(folder, `${daemon}.log`)
      const child = startLogged(
        log,
        ['sh', '-c', joinScript, 'sh', ...enter, ...command],
        environment,
      )
      child.once('exit', (code, signal) => {
        if (!isKilled)
          failures.push(`${name}: ${daemon} ended (${signal ?? code}): ${lastLines(log)}`)
      })
    },
    failure: () => failures[0],
    kill: async () => {
      isKilled = true
      killProcess(identify(pid))
      const left = await cleanCgroups(name)
      if (left !== undefined) throw new Error(`the node does not end: ${left}`)
    },
  }
}

async function startInit(place: LabPlace, options: CellOptions): Promise<number> {
  const { name, folder } = options
  const unshare = ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork']
  const own = ['--kill-child', '--mount-proc', '--uts', '--ipc', '--']
  const command = [
    ...['sh', '-c', joinScript, 'sh', 'nsenter', `--net=${namespaceFile(name)}`],
    ...[...unshare, ...own, 'sh', initProgram, name, folder, options.pause],
  ]
  const log = join(folder, 'cell.log')
  const environment = { PATH: options.path, CGROUPS: joinFiles(name).join(' ') }
  const child = startLogged(log, command, environment)
  await until(`the namespaces of ${name}`, () => {
    if (child.exitCode !== null) throw new Error(`no namespaces for ${name}: ${lastLines(log)}`)
    return existsSync(join(folder, 'cell.ready'))
  })
  const [first] = childrenOf(child.pid)
  if (first === undefined) throw new Error(`the first process of ${name} has ended`)
  place.keep({ processes: [identify(first)] })
  return first
}

/** In a process group of its own, so that Ctrl-C does not take the lab apart in no order. */
function startLogged(
  log: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcess {
  const [program = '', ...args] = command
  const output = openSync(log, 'a')
  const child = spawn(program, args, { detached: true, env, stdio: ['ignore', output, output] })
  closeSync(output)
  child.unref()
  return child
}

function childrenOf(pid: number | undefined): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

function lastLines(log: string): string {
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n') : ''
}
