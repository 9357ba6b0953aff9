// What the supercluster should be, against what its servers say that it is.
import { isVersionAtLeast, serverVersionMin } from './version.ts'

export interface ExpectedRegion {
  readonly name: string
  readonly servers: readonly string[]
  readonly leafnodes: readonly string[]
}

export interface ExpectedNetwork {
  readonly regions: readonly ExpectedRegion[]
  /** By server name: the digest of the configuration that it should run; without it, reloads are not checkable. */
  readonly digests?: ReadonlyMap<string, string>
}

/** What one server answered, names instead of ids. */
export interface ObservedServer {
  readonly name: string
  readonly cluster: string
  readonly version: string
  readonly configDigest: string
  readonly tls: { readonly [listener in Listener]: ObservedTls }
  readonly rejectsUnknownClusters: boolean
  /** A WebSocket listener with TLS; that it asks for certificates nats-server does not report. */
  readonly hasWorkloadListener: boolean
  readonly routes: readonly string[]
  readonly outboundGateways: readonly ObservedGateway[]
  readonly inboundGateways: readonly ObservedGateway[]
  readonly leafnodes: readonly string[]
}

export type Listener = 'clients' | 'routes' | 'gateways' | 'leafnodes'

export interface ObservedTls {
  readonly isRequired: boolean
  readonly isVerified: boolean
}

export interface ObservedGateway {
  readonly region: string
  /** The server at the other end. */
  readonly server: string
  readonly rttMs: number
}

export type FindingCode =
  | 'server-missing'
  | 'server-unknown'
  | 'server-twice'
  | 'region-wrong'
  | 'version-old'
  | 'route-missing'
  | 'gateway-outbound-missing'
  | 'gateway-inbound-missing'
  | 'gateway-open'
  | 'leafnode-missing'
  | 'tls-off'
  | 'tls-unverified'
  | 'workloads-closed'
  | 'digest-differs'
  | 'certificate-wrong'
  | 'connection-wrong'
  | 'link-old'

export interface Finding {
  readonly code: FindingCode
  /** The server, or for a leafnode its server, that the finding is about. */
  readonly subject: string
  readonly message: string
}

/**
 * Every difference, servers that are missing or too many before what follows from them; none means
 * that the network is as expected.
 */
export function compareTopology(
  expected: ExpectedNetwork,
  observed: readonly ObservedServer[],
): Finding[] {
  const context = { expected, observed }
  const names = expected.regions.flatMap(({ servers }) => servers)
  return [
    ...names
      .filter((name) => !observed.some((server) => server.name === name))
      .map((name) => finding('server-missing', name, 'no answer')),
    ...observed
      .filter(({ name }) => !names.includes(name))
      .map(({ name, cluster }) =>
        finding('server-unknown', name, `a server that nobody expects, in cluster ${cluster}`),
      ),
    ...expected.regions.flatMap((region) => regionFindings(region, context)),
  ]
}

interface Context {
  readonly expected: ExpectedNetwork
  readonly observed: readonly ObservedServer[]
}

function regionFindings(region: ExpectedRegion, context: Context): Finding[] {
  const ofRegion = context.observed.filter(({ name }) => region.servers.includes(name))
  const connected = ofRegion.flatMap(({ leafnodes }) => leafnodes)
  const missing = region.leafnodes.filter((name) => !connected.includes(name))
  return [
    ...region.servers.flatMap((name) => serverFindings(name, region, context)),
    ...missing.map((name) =>
      finding('leafnode-missing', name, `connected to no server of ${region.name}`),
    ),
  ]
}

function serverFindings(name: string, region: ExpectedRegion, context: Context): Finding[] {
  const [server, twin] = context.observed.filter((one) => one.name === name)
  if (server === undefined) return []
  return [
    ...(twin === undefined
      ? []
      : [finding('server-twice', name, 'two servers answer by this name')]),
    ...identityFindings(server, region, context),
    ...routeFindings(server, region),
    ...context.expected.regions
      .filter((other) => other.name !== region.name)
      .flatMap((other) => gatewayFindings(server, other, context)),
    ...tlsFindings(server),
  ]
}

function identityFindings(
  server: ObservedServer,
  region: ExpectedRegion,
  context: Context,
): Finding[] {
  const { name, cluster, version, configDigest } = server
  const digest = context.expected.digests?.get(name)
  return [
    ...when(
      cluster !== region.name,
      'region-wrong',
      name,
      `in cluster ${cluster}, not ${region.name}`,
    ),
    ...when(
      !isVersionAtLeast(version, serverVersionMin),
      ...([
        'version-old',
        name,
        `runs ${version}, at least ${serverVersionMin} is needed`,
      ] as const),
    ),
    ...when(
      digest !== undefined && digest !== configDigest,
      ...([
        'digest-differs',
        name,
        `runs the configuration ${configDigest}, not ${digest}`,
      ] as const),
    ),
  ]
}

/** Peers to which a server has no route. */
export function routeFindings(
  { name, routes }: ObservedServer,
  { servers }: ExpectedRegion,
): Finding[] {
  return servers
    .filter((peer) => peer !== name && !routes.includes(peer))
    .map((peer) => finding('route-missing', name, `no route to ${peer}`))
}

function gatewayFindings(
  server: ObservedServer,
  other: ExpectedRegion,
  context: Context,
): Finding[] {
  const { name } = server
  const isOutbound = server.outboundGateways.some(({ region }) => region === other.name)
  const isInbound = context.observed
    .filter((remote) => other.servers.includes(remote.name))
    .some((remote) => remote.inboundGateways.some((inbound) => inbound.server === name))
  return [
    ...when(!isOutbound, 'gateway-outbound-missing', name, `no outbound gateway to ${other.name}`),
    ...when(
      !isInbound,
      'gateway-inbound-missing',
      name,
      `no server of ${other.name} reports its gateway`,
    ),
  ]
}

const peerListeners: readonly Listener[] = ['routes', 'gateways', 'leafnodes']

function tlsFindings({
  name,
  tls,
  rejectsUnknownClusters,
  hasWorkloadListener,
}: ObservedServer): Finding[] {
  const listeners: readonly Listener[] = ['clients', ...peerListeners]
  const open = listeners.filter((listener) => !tls[listener].isRequired)
  const unverified = peerListeners.filter(
    (listener) => tls[listener].isRequired && !tls[listener].isVerified,
  )
  return [
    ...open.map((listener) => finding('tls-off', name, `its listener for ${listener} has no TLS`)),
    ...unverified.map((listener) =>
      finding('tls-unverified', name, `its listener for ${listener} asks for no certificate`),
    ),
    ...when(
      !hasWorkloadListener,
      'workloads-closed',
      name,
      'has no listener for workloads with TLS',
    ),
    ...when(!rejectsUnknownClusters, 'gateway-open', name, 'admits gateways of unknown clusters'),
  ]
}

const finding = (code: FindingCode, subject: string, what: string): Finding => ({
  code,
  subject,
  message: `${subject}: ${what}`,
})

const when = (holds: boolean, ...found: Parameters<typeof finding>): Finding[] =>
  holds ? [finding(...found)] : []
