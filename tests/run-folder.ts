// The temporary folder of one run of all tests: everything that they start or write lies in it or
// names it, so that what a test left behind is found, named, ended and removed.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readTyped, recordName, type Typed } from './ran.ts'

const prefix = 'archipelago-tests-'
const compiled = '.compiled'
const endMs = 3_000

export interface RunFolder {
  /** For ava, and so for every process below it. */
  readonly env: NodeJS.ProcessEnv
  /** The commands that its tests have run so far. */
  typed(): Typed[]
  /** Ends and removes everything; what there was, a line for each process and file. */
  close(): Promise<string[]>
}

/** Also removes what runs that were killed have left. */
export async function openRunFolder(): Promise<RunFolder> {
  const parent = parentFolder()
  for (const name of readdirSync(parent).filter(isAbandoned)) await clear(join(parent, name))
  const folder = mkdtempSync(join(parent, `${prefix}${process.pid}-`))
  mkdirSync(join(folder, compiled))
  return {
    // Two hundred processes and threads compile the same modules: the first one for all.
    env: {
      ...{ TMPDIR: folder, NODE_COMPILE_CACHE: join(folder, compiled) },
      ARCHIPELAGO_TYPED: join(folder, recordName),
    },
    typed: () => readTyped(folder),
    close: () => clear(folder),
  }
}

/** On macOS the usual folder's path would make those of sockets too long. */
function parentFolder(): string {
  return process.platform === 'darwin' ? '/tmp' : tmpdir()
}

function isAbandoned(name: string): boolean {
  const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
  return pid !== undefined && !isRunning(Number(pid))
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function clear(folder: string): Promise<string[]> {
  const left = await endProcesses(folder)
  const files = readdirSync(folder).filter((name) => name !== compiled && name !== recordName)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  return [...left, ...files.map((name) => `file ${join(folder, name)}`)]
}

/** Those that end by themselves are given a moment, as a child needs it after its parent. */
async function endProcesses(folder: string): Promise<string[]> {
  const left = await awaitEnd(folder)
  for (const { pid } of left) kill(pid)
  await awaitEnd(folder)
  return left.map(({ pid, command }) => `process ${pid}: ${command}`)
}

async function awaitEnd(folder: string): Promise<RunningProcess[]> {
  const deadline = performance.now() + endMs
  for (;;) {
    const running = processesOf(folder)
    if (running.length === 0 || performance.now() > deadline) return running
    await delay(50)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended since.
  }
}

interface RunningProcess {
  readonly pid: number
  readonly command: string
}

/** Whoever has the folder in his command line or environment; elsewhere than on Linux nobody is seen. */
function processesOf(folder: string): RunningProcess[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), command: readProcess(pid, 'cmdline') }))
    .filter(({ pid, command }) => `${command}\n${readProcess(pid, 'environ')}`.includes(folder))
}

function readProcess(pid: string | number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    // It has ended since, or is somebody else's.
    return ''
  }
}
