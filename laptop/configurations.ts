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
import { withoutWithdrawn } from '../core/network/withdrawn.ts'
import { makePrivateFolder, openFiles, writePrivate } from '../store/files.ts'
import { homesOf } from '../store/homes.ts'
import { ensureCertificates, type CertificatePlace } from './identity/certificates.ts'
import { holdersOf } from './identity/holders.ts'
import { readAnchors, type Anchors } from './identity/anchors.ts'
import { identityPaths, leafnodePaths, publicPaths, serverPaths } from './layout.ts'

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
  /** SPIFFE IDs of processes that are not to run. */
  readonly withdrawn?: readonly string[]
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
  /** Which processes got a new certificate for this plan. */
  readonly made: readonly string[]
  readonly anchors: Anchors
  /** Region by region, a leafnode server after its servers. */
  readonly servers: readonly PlannedServer[]
}

/** Makes the certificates that are missing; writes nothing else. */
export async function planNetwork(
  data: string,
  source: NetworkSource,
  when: Partial<Pick<CertificatePlace, 'nowMs' | 'isStopped' | 'report'>> = {},
): Promise<NetworkPlan> {
  const { archipelago, doors } = source
  const regions = placeSource(source)
  const holders = holdersOf(archipelago, regions, doors)
  const at = { homes: homesOf(data), archipelago, nowMs: Date.now(), ...when }
  return planWith(data, source, { regions, ...(await ensureCertificates(at, holders)) })
}

/** Writes nothing: a certificate that is still to be made gets the pin that fits none. */
export function previewNetwork(
  data: string,
  source: NetworkSource,
  pins: ReadonlyMap<string, string>,
): NetworkPlan {
  const { archipelago } = source
  const regions = placeSource(source)
  const names = holdersOf(archipelago, regions, []).map(({ name }) => name)
  const known = names.map((name) => [name, pins.get(name) ?? '0'.repeat(64)] as const)
  const anchors = readAnchors(openFiles(), homesOf(data), archipelago)
  return planWith(data, source, { regions, pins: new Map(known), made: [], anchors })
}

const placeSource = ({ archipelago, withdrawn = [] }: NetworkSource) =>
  withoutWithdrawn(archipelago, placeNetwork(archipelago, 'laptop'), withdrawn)

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
      leafnodes: region.isCut === true ? [] : [region.leafnode.name],
    })),
    digests: new Map(digests),
  }
}

type Placed = Pick<NetworkPlan, 'regions' | 'pins' | 'made' | 'anchors'>

function planWith(data: string, source: NetworkSource, placed: Placed): NetworkPlan {
  const { regions } = placed
  const servers = regions.flatMap((region) => [
    ...planServers(data, region, { ...source, ...placed }),
    ...(region.isCut === true ? [] : [planLeafnode(data, region, { ...source, ...placed })]),
  ])
  return { ...placed, doors: source.doors, servers }
}

function planServers(
  data: string,
  region: RegionPlace,
  plan: NetworkSource & Placed,
): PlannedServer[] {
  const { archipelago, regions, trust, pins, anchors } = plan
  const { own, mesh } = anchorsOf(anchors, region)
  const network = { regions, connectionsMax: archipelago.server.connectionsMax, trust, pins }
  return region.servers.map((server) => {
    const { configuration: file, log, resolver } = serverPaths(data, server)
    const identity = identityPaths(data, server)
    const tls = {
      clients: publicPaths(data, server),
      region: { ...identity, trusted: own },
      network: { ...identity, trusted: mesh },
    }
    const files = { tls, resolverDirectory: resolver, log: logFile(log) }
    const configuration = configureServer(server, network, files)
    const { name, monitor } = server
    return { name, file, log, monitor, isLeafnode: false, configuration }
  })
}

function planLeafnode(
  data: string,
  region: RegionPlace,
  { access, pins, anchors }: NetworkSource & Placed,
): PlannedServer {
  const { account, functions } = access
  const { leafnode } = region
  const { configuration: file, log, credentials } = leafnodePaths(data, leafnode)
  const network = { region, account, functions: functions.get(region.name) ?? [], pins }
  const { own: trusted } = anchorsOf(anchors, region)
  const tls = { ...identityPaths(data, leafnode), trusted }
  const files = { tls, credentials, log: logFile(log) }
  const configuration = configureLeafnode(leafnode, network, files)
  const { name, monitor } = leafnode
  return { name, file, log, monitor, isLeafnode: true, configuration }
}

const logFile = (file: string): LogFile => ({ file, bytesMax: 4 * 1024 * 1024 })

function anchorsOf(anchors: Anchors, { name }: RegionPlace) {
  const found = anchors.get(name)
  if (found === undefined) throw new TypeError(`no authorities for ${name}`)
  return { own: found.own.path, mesh: found.mesh.path }
}

function formatPlanned({ name, configuration }: PlannedServer): string {
  const comment = `nats-server ${name}, made from archipelago.yaml; what is changed here is lost at the next start`
  return formatConfiguration(configuration, comment)
}
