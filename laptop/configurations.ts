import type { Door } from '../core/access/door.ts'
import type { Archipelago } from '../core/archipelago.ts'
import {
  type Configuration,
  digestConfiguration,
  formatConfiguration,
} from '../core/network/configuration.ts'
import { type Endpoint, placeNetwork, type RegionPlace } from '../core/network/endpoint.ts'
import { configureLeafnode, type FunctionUser } from '../core/network/leafnode.ts'
import { configureServer, type LogFile, type NetworkTrust } from '../core/network/server.ts'
import type { ExpectedNetwork } from '../core/network/topology.ts'
import { makePrivateFolder, writePrivate } from '../store/files.ts'
import { type CertificateHolder, ensureCertificates } from './certificates.ts'
import { leafnodePaths, serverPaths, tlsPaths } from './layout.ts'

/** What the network's servers are made from. */
export interface NetworkSource {
  readonly archipelago: Archipelago
  readonly trust: NetworkTrust
  readonly access: {
    /** The account in which functions answer. */
    readonly account: string
    /** By region: the processes that its leafnode server admits. */
    readonly functions: ReadonlyMap<string, readonly FunctionUser[]>
  }
  /** The functions that listen for HTTPS, and need a certificate for it. */
  readonly doors: readonly Door[]
}

/** One nats-server of this machine: what it is to run, and where that is written. */
export interface PlannedServer {
  readonly name: string
  readonly file: string
  readonly log: string
  readonly monitor: Endpoint
  readonly isLeafnode: boolean
  readonly configuration: Configuration
}

export interface NetworkPlan {
  readonly regions: readonly RegionPlace[]
  readonly doors: readonly Door[]
  readonly pins: ReadonlyMap<string, string>
  /** Region by region, a leafnode server after its servers. */
  readonly servers: readonly PlannedServer[]
}

/** Makes the certificates that are missing; writes nothing else. */
export async function planNetwork(data: string, source: NetworkSource): Promise<NetworkPlan> {
  const regions = placeNetwork(source.archipelago, 'laptop')
  const { pins } = await ensureCertificates(data, holdersOf(regions, source.doors), new Date())
  return planWith(data, source, { regions, pins })
}

/** Writes nothing: a certificate that is still to be made gets the pin that fits none. */
export function previewNetwork(
  data: string,
  source: NetworkSource,
  pins: ReadonlyMap<string, string>,
): NetworkPlan {
  const regions = placeNetwork(source.archipelago, 'laptop')
  const names = holdersOf(regions, []).map(({ name }) => name)
  const known = names.map((name) => [name, pins.get(name) ?? '0'.repeat(64)] as const)
  return planWith(data, source, { regions, pins: new Map(known) })
}

export function writePlan(data: string, { regions, servers }: NetworkPlan): void {
  for (const server of regions.flatMap((region) => region.servers)) {
    makePrivateFolder(serverPaths(data, server).resolver)
  }
  for (const server of servers) writePrivate(server.file, formatPlanned(server))
}

/** What the servers should report when they run this plan. */
export function expectedNetwork({ regions, servers }: NetworkPlan): ExpectedNetwork {
  const digests = servers.map((one) => [one.name, digestConfiguration(one.configuration)] as const)
  return {
    regions: regions.map((region) => ({
      name: region.name,
      servers: region.servers.map(({ name }) => name),
      leafnodes: [region.leafnode.name],
    })),
    digests: new Map(digests),
  }
}

interface Placed {
  readonly regions: readonly RegionPlace[]
  readonly pins: ReadonlyMap<string, string>
}

function planWith(data: string, source: NetworkSource, placed: Placed): NetworkPlan {
  const { regions } = placed
  const servers = regions.flatMap((region) => [
    ...planServers(data, region, { ...source, ...placed }),
    planLeafnode(data, region, { ...source, ...placed }),
  ])
  return { ...placed, doors: source.doors, servers }
}

function planServers(
  data: string,
  region: RegionPlace,
  plan: NetworkSource & Placed,
): PlannedServer[] {
  const { archipelago, regions, trust, pins } = plan
  const network = { regions, connectionsMax: archipelago.server.connectionsMax, trust, pins }
  return region.servers.map((server) => {
    const { configuration: file, log, resolver } = serverPaths(data, server)
    const tls = tlsPaths(data, server)
    const files = { tls, resolverDirectory: resolver, log: logFile(log) }
    const configuration = configureServer(server, network, files)
    const { name, monitor } = server
    return { name, file, log, monitor, isLeafnode: false, configuration }
  })
}

function planLeafnode(
  data: string,
  region: RegionPlace,
  { access, pins }: NetworkSource & Placed,
): PlannedServer {
  const { account, functions } = access
  const { leafnode } = region
  const { configuration: file, log, credentials } = leafnodePaths(data, leafnode)
  const network = { region, account, functions: functions.get(region.name) ?? [], pins }
  const files = { tls: tlsPaths(data, leafnode), credentials, log: logFile(log) }
  const configuration = configureLeafnode(leafnode, network, files)
  const { name, monitor } = leafnode
  return { name, file, log, monitor, isLeafnode: true, configuration }
}

const logFile = (file: string): LogFile => ({ file, bytesMax: 4 * 1024 * 1024 })

function holdersOf(regions: readonly RegionPlace[], doors: readonly Door[]): CertificateHolder[] {
  return regions.flatMap(({ servers, leafnode, doors: places }) => [
    ...[...servers, leafnode].map((server) => holderOf(server, server.client)),
    ...places.filter(({ door }) => doors.includes(door)).map((door) => holderOf(door, door.https)),
  ])
}

function holderOf(
  process: { name: string; region: string },
  { host }: Endpoint,
): CertificateHolder {
  const { name, region } = process
  return { name, region, hosts: [...new Set([name, 'localhost', '127.0.0.1', host])] }
}

function formatPlanned({ name, configuration }: PlannedServer): string {
  const comment = `nats-server ${name}, made from archipelago.yaml; what is changed here is lost at the next start`
  return formatConfiguration(configuration, comment)
}
