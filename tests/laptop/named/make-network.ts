// Regions whose servers know each other by DNS names, without pins: what runs in clusters, on loopback
// addresses of its own for each process and the same ports everywhere.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Archipelago, parseArchipelago } from '../../../core/archipelago.ts'
import type { Issuer } from '../../../core/identity/issue.ts'
import type { Configuration } from '../../../core/network/configuration.ts'
import type { RegionPlace } from '../../../core/network/endpoint.ts'
import { readAnchors } from '../../../laptop/identity/anchors.ts'
import { leafnodePaths } from '../../../laptop/layout.ts'
import { findTool } from '../../../laptop/tools.ts'
import { openFiles, writePrivate } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import type { AuthorityStore } from '../../../store/root.ts'
import { good } from '../../core/archipelago/example.ts'
import { claimPorts } from '../../port-block.ts'
import { type BareTrust, credsText, makeBareTrust } from '../bare-trust.ts'
import { makeAuthorities, makeLeaves } from './certificates.ts'
import { configureProcess } from './configure.ts'
import { seeing, whyNoHostsFile } from './hosts-file.ts'
import { formatHosts, placeOnLoopback } from './place.ts'

export interface NamedNetwork extends AsyncDisposable {
  readonly store: AuthorityStore
  readonly regions: readonly RegionPlace[]
  readonly trust: BareTrust
  /** A program that is a nats-server, and finds the names of this network. */
  readonly natsServer: string
  readonly hostsFile: string
  issuerOf(region: string): Issuer
  /** Without pins unless it is asked for. */
  configurationOf(name: string, as?: { readonly isPinned: boolean }): Configuration
}

/** Starts nothing. An error where no process can have a hosts file of its own. */
export async function makeNamedNetwork(servers: number): Promise<NamedNetwork> {
  const refusal = whyNoHostsFile()
  if (refusal !== undefined) throw new Error(refusal)
  const data = mkdtempSync(join(tmpdir(), 'archipelago-named-'))
  const ports = await claimPorts()
  const archipelago = readArchipelago(servers, ports.firstPort)
  const regions = placeOnLoopback(archipelago)
  const store = { files: openFiles(), homes: homesOf(data), archipelago, nowMs: Date.now() }
  const issuers = await makeAuthorities(store)
  const pins = await makeLeaves(store, regions, issuers)
  const trust = await makeBareTrust()
  const source = { store, regions, trust: trust.network }
  writeFiles(store, regions, trust)
  const hostsFile = join(data, 'hosts')
  writeFileSync(hostsFile, formatHosts(regions))
  return {
    ...{ store, regions, trust, hostsFile },
    natsServer: await writeWrapper(data, hostsFile),
    issuerOf: (region) => issuers(region, 'identity'),
    configurationOf: (name, { isPinned } = { isPinned: false }) =>
      configureProcess({ ...source, ...(isPinned && { pins }) }, name),
    [Symbol.asyncDispose]: async () => {
      await ports[Symbol.asyncDispose]()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function readArchipelago(servers: number, firstPort: number): Archipelago {
  const archipelago = parseArchipelago(good, 'archipelago.yaml')
  const { regions, ports } = archipelago
  const counted = Object.keys(ports).map((name, index) => [name, firstPort + index])
  return {
    ...archipelago,
    regions: regions.map((region) => ({ ...region, servers })),
    ports: { ...ports, ...Object.fromEntries(counted) },
  }
}

function writeFiles(
  { files, homes, archipelago }: AuthorityStore,
  regions: readonly RegionPlace[],
  trust: BareTrust,
): void {
  for (const { leafnode } of regions)
    writePrivate(leafnodePaths(homes.data, leafnode).credentials, credsText(trust.leafnode))
  for (const { own, mesh } of readAnchors(files, homes, archipelago).values())
    for (const { path, content } of [own, mesh]) writePrivate(path, content)
}

async function writeWrapper(data: string, hostsFile: string): Promise<string> {
  const file = join(data, 'nats-server')
  const real = await findTool('nats-server', { report: () => {} })
  const words = [...seeing(hostsFile), real].map((word) => `'${word}'`)
  writeFileSync(file, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`)
  chmodSync(file, 0o700)
  return file
}
