// Builds a pinned tool with Go. The binary appears in one step: a build that is killed, or that
// runs twice at once, leaves either nothing or a whole tool.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Refusal } from '../../core/errors.ts'
import { onPath } from './path.ts'
import type { Pin } from './pin.ts'

export interface BuildOptions {
  readonly target: string
  readonly tooOld: string | undefined
  readonly report: (line: string) => void
  readonly environment: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
  /** Instead of a build for this machine. */
  readonly recipe?: GoRecipe
}

export interface GoRecipe {
  readonly flags: readonly string[]
  readonly settings: NodeJS.ProcessEnv
}

// As upstream builds its releases, whatever the caller's settings of Go are.
const settings = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOOS: '', GOARCH: '' }
const minutesMax = 15

export async function buildTool(pin: Pin, options: BuildOptions): Promise<void> {
  const { target, tooOld, environment } = options
  const [go] = onPath('go', environment['PATH'] ?? '')
  if (go === undefined) throw missing(pin, tooOld)
  const folder = dirname(target)
  const draft = makeDraft(folder)
  try {
    options.report(announcement(pin, tooOld))
    await goBuild(pin, join(draft, pin.name), go, options)
    renameSync(join(draft, pin.name), target)
  } finally {
    rmSync(draft, { recursive: true, force: true, maxRetries: 5 })
  }
}

function announcement(pin: Pin, tooOld: string | undefined): string {
  const why = tooOld === undefined ? '' : ` (${tooOld}, and ${pin.floor} is the least)`
  return `building ${pin.name} ${pin.version} with Go, about ${pin.buildSeconds} s, once${why}`
}

/** A folder for this build alone, beside the target; those of builds that were killed go. */
function makeDraft(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) {
      const pid = /^draft-(\d+)-/.exec(name)?.[1]
      if (pid !== undefined && !isAlive(Number(pid))) {
        rmSync(join(folder, name), { recursive: true, force: true })
      }
    }
    return mkdtempSync(join(folder, `draft-${process.pid}-`))
  } catch (cause) {
    const what = `unwritable folder for built tools: '${folder}'`
    const whatToDo = 'make it writable, or set XDG_CACHE_HOME to a folder that is'
    throw new Refusal('ERR_TOOL_UNBUILT', `${what}\n${whatToDo}`, { cause })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function goBuild(pin: Pin, output: string, go: string, options: BuildOptions): Promise<void> {
  const { environment, signal } = options
  const { flags, settings } = options.recipe ?? ownRecipe(pin)
  const child = spawn(go, ['build', ...flags, '-o', output, pin.package], {
    cwd: pin.folder,
    env: { ...environment, ...settings, GOTMPDIR: dirname(output) },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: minutesMax * 60_000,
    // Go then waits for its compilers.
    killSignal: 'SIGINT',
    ...(signal && { signal }),
  })
  let failure = ''
  child.on('error', (error) => (failure = error.message))
  const [said, code] = await Promise.all([text(child.stderr), closed(child)])
  signal?.throwIfAborted()
  if (code !== 0) throw unbuilt(pin, said.trim().split('\n').at(-1) || failure || `exit ${code}`)
}

function ownRecipe({ version }: Pin): GoRecipe {
  return { flags: ['-mod=readonly', '-trimpath', `-ldflags=-X main.version=${version}`], settings }
}

const closed = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('close', resolve))

function missing(pin: Pin, tooOld: string | undefined): Refusal {
  const why = tooOld === undefined ? '' : ` (${tooOld})`
  return new Refusal('ERR_TOOL_MISSING', `missing tool: ${pin.name}${why}\n${advice(pin)}`)
}

function unbuilt(pin: Pin, line: string): Refusal {
  const what = `Go cannot build ${pin.name} ${pin.version}: '${line}'`
  return new Refusal('ERR_TOOL_UNBUILT', `${what}\n${advice(pin)}`)
}

function advice(pin: Pin): string {
  return `install Go ${pin.go} or later, or put ${pin.name} ${pin.floor} or later on PATH`
}
