// Builds one peer into the cache. It appears there in one step: a build that was killed leaves what Go
// has compiled so far, and nothing that could be taken for the peer.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { buildGoPeer } from './go-peer.ts'
import type { PeerPin } from './pin.ts'
import { takeTurn } from './turn.ts'
import { unpackDebianPeer } from './debian-peer.ts'

export interface BuildOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly report: (line: string) => void
}

const unusedDaysMax = 7
const dayMs = 24 * 3_600_000

/** The peer's folder; builds it unless it is there. */
export async function buildPeer(pin: PeerPin, options: BuildOptions): Promise<string> {
  if (existsSync(pin.folder)) {
    markUsed(pin.folder)
    return pin.folder
  }
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

function markUsed(folder: string): void {
  const now = new Date()
  utimesSync(folder, now, now)
}

/** Peers are large; another branch may still be working with what was used of late. */
function removeOlder(pin: PeerPin): void {
  const parent = dirname(pin.folder)
  const own = new RegExp(`^${pin.name}-(\\d+\\.\\d+\\.\\d+-)?[0-9a-f]{12}$`)
  const others = readdirSync(parent).filter(
    (name) => own.test(name) && join(parent, name) !== pin.folder,
  )
  for (const each of others.map((name) => join(parent, name))) {
    const unusedMs = Date.now() - statSync(each).mtimeMs
    if (unusedMs > unusedDaysMax * dayMs) rmSync(each, { recursive: true, force: true })
  }
}
