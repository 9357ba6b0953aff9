// What a peer is made of, as one hash: a peer that was built once is used until an input changes.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { homedir, arch, platform } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { peers, type DebianPeer, type GoPeer, type PeerName } from './peers.ts'

export interface PeerPin {
  readonly name: PeerName
  readonly peer: GoPeer | DebianPeer
  /** As one would say it: 'kubernetes 1.36.3'. */
  readonly title: string
  /** Holds go.mod and go.sum, or packages.txt. */
  readonly source: string
  /** Where the built peer lies. */
  readonly folder: string
}

export function readPeerPin(name: PeerName, environment: NodeJS.ProcessEnv): PeerPin {
  const peer: GoPeer | DebianPeer = peers[name]
  const source = fileURLToPath(new URL(`../../../tools/peers/${name}/`, import.meta.url))
  const files = readdirSync(source).toSorted()
  const inputs = files.map((file) => `${file}\0${readFileSync(join(source, file), 'utf8')}`)
  const version = peer.kind === 'go' && peer.module ? versionOf(source, peer.module) : undefined
  const hash = hashOf([platform(), arch(), JSON.stringify(peer), ...inputs])
  const folder = [name, version, hash].filter((part) => part !== undefined).join('-')
  return {
    name,
    peer,
    title: version === undefined ? name : `${name} ${version}`,
    source,
    folder: join(peersFolder(environment), folder),
  }
}

function versionOf(source: string, module: string): string {
  const text = readFileSync(join(source, 'go.mod'), 'utf8')
  const line = text.split('\n').find((each) => each.includes(`${module} v`))
  const version = /v(\d+\.\d+\.\d+)/.exec(line ?? '')?.[1]
  if (version === undefined) throw new TypeError(`go.mod requires no ${module}: ${source}`)
  return version
}

function peersFolder(environment: NodeJS.ProcessEnv): string {
  const xdg = environment['XDG_CACHE_HOME'] ?? ''
  // The XDG specification: a relative path is to be ignored.
  const base = isAbsolute(xdg) ? xdg : join(environment['HOME'] ?? homedir(), '.cache')
  return join(base, 'archipelago', 'peers')
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12)
}
