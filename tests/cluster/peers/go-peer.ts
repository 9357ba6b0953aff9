// A peer that Go builds: nothing but what go.sum names, without cgo, with trimmed paths.
import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Refusal } from '../../../core/errors.ts'
import { run } from '../lab/run.ts'
import type { GoPeer } from './peers.ts'
import type { PeerPin } from './pin.ts'

interface GoOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly draft: string
}

const settings = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOOS: '', GOARCH: '' }
const minutesMax = 45

export async function buildGoPeer(pin: PeerPin, peer: GoPeer, options: GoOptions): Promise<void> {
  const bin = join(options.draft, 'bin')
  mkdirSync(bin)
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false']
  const linker = `-ldflags=-s -w ${peer.linker ?? ''}`.trimEnd()
  for (const [program, path] of Object.entries(peer.programs)) {
    await go(pin, ['build', ...flags, linker, '-o', join(bin, program), path], options)
  }
  const [program = ''] = Object.keys(peer.programs)
  for (const name of peer.names ?? []) symlinkSync(program, join(bin, name))
  for (const [name, { module, path }] of Object.entries(peer.trees ?? {})) {
    const folder = await go(pin, ['list', '-mod=readonly', '-m', '-f={{.Dir}}', module], options)
    copyTree(join(folder.trim(), path), join(options.draft, name))
  }
}

async function go(pin: PeerPin, args: readonly string[], options: GoOptions): Promise<string> {
  try {
    return await run('go', args, {
      cwd: pin.source,
      env: { ...options.environment, ...settings },
      deadlineMs: minutesMax * 60_000,
    })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const whatToDo = 'install Go 1.26 or later, look at the line above, then run it again'
    throw new Refusal('ERR_TOOL_UNBUILT', `Go cannot build ${pin.title}: ${why}\n${whatToDo}`, {
      cause,
    })
  }
}

/** Go's module cache keeps neither the right to write nor that to execute. */
function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  if (basename(dirname(to)) === 'bin') chmodSync(to, 0o755)
}
