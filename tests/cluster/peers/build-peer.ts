// Builds one peer into the cache. It appears there in one step: a build that was killed leaves what Go
// has compiled so far, and nothing that could be taken for the peer.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildGoPeer } from './go-peer.ts'
import type { PeerPin } from './pin.ts'
import { takeTurn } from './turn.ts'
import { unpackDebianPeer } from './debian-peer.ts'

export interface BuildOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly report: (line: string) => void
}

/** The peer's folder; builds it unless it is there. */
export async function buildPeer(pin: PeerPin, options: BuildOptions): Promise<string> {
  if (existsSync(pin.folder)) return pin.folder
  mkdirSync(dirname(pin.folder), { recursive: true })
  await using _turn = await takeTurn(`${pin.folder}.turn`, options.report)
  if (!existsSync(pin.folder)) await build(pin, options)
  return pin.folder
}

async function build(pin: PeerPin, options: BuildOptions): Promise<void> {
  const draft = `${pin.folder}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft)
  options.report(`building ${pin.title}, about ${pin.peer.buildSeconds} s on two cores, once`)
  const start = performance.now()
  if (pin.peer.kind === 'go') await buildGoPeer(pin, pin.peer, { ...options, draft })
  else await unpackDebianPeer(pin, { ...options, draft })
  renameSync(draft, pin.folder)
  options.report(`built ${pin.title} in ${Math.round((performance.now() - start) / 1000)} s`)
  removeOlder(pin)
}

/** Peers are large: one of the same name and another hash is of no use any more. */
function removeOlder(pin: PeerPin): void {
  const parent = dirname(pin.folder)
  const own = new RegExp(`^${pin.name}-(\\d+\\.\\d+\\.\\d+-)?[0-9a-f]{12}$`)
  for (const each of readdirSync(parent).filter((name) => own.test(name))) {
    const folder = join(parent, each)
    if (folder !== pin.folder) rmSync(folder, { recursive: true, force: true })
  }
}
