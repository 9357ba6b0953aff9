// The peers that a lab runs, and wrappers for those of Debian's programs that need its libraries.
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildPeer } from '../peers/build-peer.ts'
import { peers, type PeerName } from '../peers/peers.ts'
import { readPeerPin } from '../peers/pin.ts'

export interface Toolbox {
  /** A folder for PATH: Kubernetes, containerd, runc, nft, iptables. */
  readonly bin: string
  /** CNI's plugins. */
  readonly cni: string
  /** The built peer's folder; builds it unless it is there. */
  peer(name: PeerName): Promise<string>
}

/** In a folder of the lab's own. */
export async function openToolbox(
  folder: string,
  report: (line: string) => void,
): Promise<Toolbox> {
  const peer = (name: PeerName) =>
    buildPeer(readPeerPin(name, process.env), { environment: process.env, report })
  const root = join(await peer('node-runtime'), 'root')
  const kubernetes = join(await peer('kubernetes'), 'bin')
  for (const name of peers.kubernetes.names) symlinkSync(join(kubernetes, name), join(folder, name))
  for (const [name, program] of Object.entries(wrapped)) {
    writeFileSync(join(folder, name), wrapper(root, program))
    chmodSync(join(folder, name), 0o755)
  }
  for (const name of plain) symlinkSync(join(root, 'usr/bin', name), join(folder, name))
  return { bin: folder, cni: join(root, 'usr/lib/cni'), peer }
}

const plain = ['containerd', 'containerd-shim-runc-v2', 'ctr']

const wrapped: Readonly<Record<string, string>> = {
  nft: 'nft',
  runc: 'runc',
  ...Object.fromEntries(
    ['iptables', 'ip6tables'].flatMap((name) =>
      ['', '-save', '-restore'].map((form) => [
        `${name}${form}`,
        `xtables-nft-multi" "${name}${form}`,
      ]),
    ),
  ),
}

function wrapper(root: string, program: string): string {
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
  return [
    '#!/bin/sh',
    `export LD_LIBRARY_PATH='${libraries}:${join(root, 'lib/x86_64-linux-gnu')}'`,
    `export XTABLES_LIBDIR='${join(libraries, 'xtables')}'`,
    `exec "${join(root, 'usr/sbin')}/${program}" "$@"`,
    '',
  ].join('\n')
}
