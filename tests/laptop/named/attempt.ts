// A foreign nats-server and one of ours: which of the two dials, as what, and what ours does about it.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Issuer, LeafProfile } from '../../../core/identity/issue.ts'
import { type Configuration, formatConfiguration } from '../../../core/network/configuration.ts'
import type { ServerPlace } from '../../../core/network/endpoint.ts'
import type { KeyFiles } from '../../../core/network/tls.ts'
import { identityPaths } from '../../../laptop/layout.ts'
import { startProcess } from '../../../laptop/process.ts'
import { writePrivate } from '../../../store/files.ts'
import { startTestServer } from '../../test-server.ts'
import { until } from '../../until.ts'
import { writeLeaf } from './certificates.ts'
import { anchorsOf } from './configure.ts'
import type { NamedNetwork } from './make-network.ts'

export interface Attempt {
  readonly network: NamedNetwork
  /** One of ours, by itself, as it is configured but for what a test takes out. */
  readonly victim: Configuration
  /** What the foreign server runs; it checks nobody, only ours shall refuse. */
  readonly foreign: (tls: Configuration) => Configuration
  readonly shown: Shown
}

export interface Shown {
  readonly leaf: LeafProfile
  readonly issuer: Issuer
}

/** `admitted`, or the line with which ours refuses. */
export async function attempt({ network, victim, foreign, shown }: Attempt): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-attempt-'))
  const files = { certificate: join(folder, 'foreign.crt'), key: join(folder, 'foreign.key') }
  await writeLeaf(files, shown.leaf, shown.issuer)
  showBeside(network, files)
  const own = await startVictim(network, folder, victim)
  try {
    await using _ = await startTestServer({
      server_name: 'foreign',
      ...foreign(tlsOf(files, anchorsOf(network.store, 'sfo2').mesh)),
    })
    return await until('ours admits or refuses it', () => outcome(own), { deadlineMs: 20_000 })
  } finally {
    await own.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Without authorities it would refuse ours by itself. */
const tlsOf = ({ certificate, key }: KeyFiles, authorities: string): Configuration => ({
  ...{ cert_file: certificate, key_file: key, ca_file: authorities },
  ...{ insecure: true, timeout: 5 },
})

/**
 * A Go program shows its certificates only to who asks for an issuer of one of them: so it shows one of
 * ours, too, which everybody sees in a handshake.
 */
function showBeside(network: NamedNetwork, { certificate }: KeyFiles): void {
  const server = network.regions.find(({ name }) => name === 'sfo2')?.servers[0] as ServerPlace
  const own = readFileSync(identityPaths(network.store.homes.data, server).certificate, 'utf8')
  appendFileSync(certificate, own)
}

interface Victim {
  readonly log: string
  readonly monitor: string
  stop(): Promise<void>
}

async function startVictim(
  { natsServer: command }: NamedNetwork,
  folder: string,
  configuration: Configuration,
): Promise<Victim> {
  const [file, log] = [join(folder, 'victim.conf'), join(folder, 'victim.log')]
  writePrivate(file, formatConfiguration({ ...configuration, log_file: log }, 'victim'))
  const running = startProcess({ name: 'victim', command, args: ['-c', file], mark: file, log })
  await until('the victim runs', () => readLog(log).includes('Server is ready'))
  const stop = async (): Promise<void> => {
    running.signal('SIGKILL')
    await running.exited
  }
  return { log, monitor: `http://${configuration['http'] as string}`, stop }
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const refusal = /TLS \w+ handshake error: .*|authentication error.*/i

/** The link first: once it is there ours dials back, and refuses what it finds. */
async function outcome({ log, monitor }: Victim): Promise<string | undefined> {
  const [routez, gatewayz, leafz] = await Promise.all(
    ['routez', 'gatewayz', 'leafz'].map(async (path) =>
      Object(await (await fetch(`${monitor}/${path}`)).json()),
    ),
  )
  const links = [
    ...Object(routez).routes,
    ...Object.values(Object(gatewayz).inbound_gateways ?? {}),
    ...Object.values(Object(gatewayz).outbound_gateways ?? {}),
    ...(Object(leafz).leafs ?? []),
  ]
  return links.length > 0 ? 'admitted' : refusal.exec(readLog(log))?.[0]
}
