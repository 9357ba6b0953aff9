// Builds a pinned tool with Go. The binary appears in one step: a build that is killed, or that
// runs twice at once, leaves either nothing or a whole tool.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal } from '../../core/errors.ts'
import { onPath } from './path.ts'
import type { Pin } from './pin.ts'

export interface BuildOptions {
  readonly target: string
  readonly tooOld: string | undefined
  readonly report: (line: string) => void
  readonly environment: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
}

export async function buildTool(pin: Pin, options: BuildOptions): Promise<void> {
  const { target, tooOld, environment } = options
  if (onPath('go', environment['PATH'] ?? '').length === 0) throw missing(pin, tooOld)
  const folder = dirname(target)
  const draft = makeDraft(folder)
  try {
    options.report(announcement(pin, tooOld))
    await goBuild(pin, join(draft, pin.name), options)
    renameSync(join(draft, pin.name), target)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function announcement(pin: Pin, tooOld: string | undefined): string {
  const why = tooOld === undefined ? '' : ` (${tooOld}, and ${pin.floor} is the least)`
  return `building ${pin.name} ${pin.version} with Go, about ${pin.buildSeconds} s, once${why}`
}

/** A folder of this process beside the target; those of builds that were killed go. */
function makeDraft(folder: string): string {
  const draft = join(folder, `draft-${process.pid}`)
  try {
    mkdirSync(draft, { recursive: true })
    for (const name of readdirSync(folder)) {
      const pid = /^draft-(\d+)$/.exec(name)?.[1]
      if (pid !== undefined && !isAlive(Number(pid)))
        rmSync(join(folder, name), { recursive: true })
    }
  } catch (cause) {
    throw new Refusal(
      'ERR_TOOL_UNBUILT',
      `unwritable folder for built tools: '${folder}'\n` +
        'make it writable, or set XDG_CACHE_HOME to a folder that is',
      { cause },
    )
  }
  return draft
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function goBuild(pin: Pin, output: string, options: BuildOptions): Promise<void> {
  // Loaded only here: what is built already should start at once.
  const { $ } = await import('zx/core')
  const run = $({
    cwd: pin.folder,
    // As upstream builds its releases, whatever the caller's settings of Go are.
    env: {
      ...options.environment,
      CGO_ENABLED: '0',
      GOFLAGS: '',
      GOWORK: 'off',
      GOOS: '',
      GOARCH: '',
    },
    nothrow: true,
    quiet: true,
    timeout: '15m',
    ...(options.signal && { signal: options.signal }),
  })
  const flags = ['-mod=readonly', '-trimpath', `-ldflags=-X main.version=${pin.version}`]
  const { ok, stderr } = await run`go build ${flags} -o ${output} ${pin.package}`
  options.signal?.throwIfAborted()
  if (!ok) throw unbuilt(pin, stderr.trim().split('\n').at(-1) ?? '')
}

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
