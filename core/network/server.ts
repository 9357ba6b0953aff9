import type { Configuration } from './configuration.ts'
import type { RegionPlace, ServerPlace } from './endpoint.ts'
import { type Endpoint, formatHostPort, formatUrl } from './endpoint.ts'
import {
  clientTls,
  handshakeSecondsMax,
  meshTls,
  peerTls,
  type KeyFiles,
  type PeerFiles,
} from './tls.ts'
import { serverVersionMin } from './version.ts'

/** What a server has to know to admit users: public values, all of them in git. */
export interface NetworkTrust {
  readonly operatorJwt: string
  readonly systemAccount: string
  readonly accounts: readonly { readonly publicKey: string; readonly jwt: string }[]
}

export interface ServerNetwork {
  readonly regions: readonly RegionPlace[]
  readonly connectionsMax: number
  readonly trust: NetworkTrust
  /** By process name. Without it routes and gateways compare DNS names. */
  readonly pins?: ReadonlyMap<string, string>
}

export interface ServerFiles {
  readonly tls: ServerTls
  readonly resolverDirectory: string
  /** Without it the server logs to its standard error. */
  readonly log?: LogFile
}

export interface ServerTls {
  /** Shown to outside clients. */
  readonly clients: KeyFiles
  /** For routes and leafnodes: the server's identity, and its own region's authority. */
  readonly region: PeerFiles
  /** For gateways and workloads: the same identity, and every region's authority. */
  readonly network: PeerFiles
}

export interface LogFile {
  readonly file: string
  readonly bytesMax: number
}

/** The configuration of one nats-server of a region's cluster, in the order in which people read it. */
export function configureServer(
  server: ServerPlace,
  network: ServerNetwork,
  files: ServerFiles,
): Configuration {
  return {
    server_name: server.name,
    listen: listenAt(server.client),
    ...advertise('client_advertise', server.client),
    tls: clientTls(files.tls.clients),
    http: listenAt(server.monitor),
    ...serverLimits(network.connectionsMax),
    ...logTo(files.log),
    cluster: cluster(server, network, files),
    gateway: gateway(server, network, files),
    leafnodes: leafnodes(server, network, files),
    websocket: websocket(server, files),
    ...trust(network.trust, files.resolverDirectory),
  }
}

const mebibyte = 1024 * 1024

/** Every limit is written down, also where it is nats-server's own default. */
export function serverLimits(connectionsMax: number): Configuration {
  return {
    max_connections: connectionsMax,
    max_payload: mebibyte,
    max_control_line: 4096,
    // A dead peer is noticed after three intervals.
    ping_interval: '5s',
    ping_max: 2,
    write_deadline: '10s',
    authorization: { timeout: handshakeSecondsMax + 1 },
    // The least that nats-server takes.
    lame_duck_duration: '30s',
    lame_duck_grace_period: '5s',
  }
}

export function logTo(log: LogFile | undefined): Configuration {
  if (log === undefined) return {}
  return { log_file: log.file, logfile_size_limit: log.bytesMax, logfile_max_num: 2 }
}

export const listenAt = ({ listen, port, listenPort = port }: Endpoint) =>
  formatHostPort(listen, listenPort)

function cluster(server: ServerPlace, network: ServerNetwork, { tls }: ServerFiles): Configuration {
  const peers = serversOf(network, server.region).filter(({ name }) => name !== server.name)
  return {
    name: server.region,
    listen: listenAt(server.route),
    ...advertise('advertise', server.route),
    tls: meshTls(tls.region, pinsOf(network, peers)),
    routes: peers.map(({ route }) => formatUrl(route)),
  }
}

/** Lists every region, its own too: the block is the same in the whole cluster, as nats-server wants it. */
function gateway(server: ServerPlace, network: ServerNetwork, { tls }: ServerFiles): Configuration {
  const others = network.regions.filter(({ name }) => name !== server.region)
  const pins = pinsOf(
    network,
    others.flatMap(({ servers }) => servers),
  )
  return {
    name: server.region,
    listen: listenAt(server.gateway),
    ...advertise('advertise', server.gateway),
    reject_unknown_cluster: true,
    tls: meshTls(tls.network, pins),
    gateways: network.regions.map(({ name, servers }) => ({
      name,
      urls: servers.map((remote) => formatUrl(remote.gateway)),
    })),
  }
}

/** The region's own leafnode server dials in; TLS comes first, so a stranger sees nothing of the protocol. */
function leafnodes(
  server: ServerPlace,
  network: ServerNetwork,
  { tls }: ServerFiles,
): Configuration {
  const dialing = network.regions.filter(({ name, isCut }) => name === server.region && !isCut)
  const pins = pinsOf(
    network,
    dialing.map(({ leafnode }) => leafnode),
  )
  return {
    listen: listenAt(server.leafnode),
    ...advertise('advertise', server.leafnode),
    min_version: serverVersionMin,
    tls: { ...peerTls(tls.region, pins), handshake_first: true },
  }
}

/**
 * For workloads, by certificate and then by JWT. There are no pins: nats-server does not compare them
 * here (2.15). Its timeout is the only one before a client is admitted, TLS included.
 */
function websocket(server: ServerPlace, { tls }: ServerFiles): Configuration {
  return {
    listen: listenAt(server.workload),
    ...advertise('advertise', server.workload),
    tls: peerTls(tls.network, undefined),
    handshake_timeout: `${handshakeSecondsMax}s`,
    // No page of a browser comes here by a certificate that its user has.
    same_origin: true,
    compression: false,
  }
}

/** The preload only ever moves an account forward: the resolver keeps whichever was issued later. */
function trust({ operatorJwt, systemAccount, accounts }: NetworkTrust, directory: string) {
  return {
    operator: operatorJwt,
    system_account: systemAccount,
    resolver: { type: 'full', dir: directory, allow_delete: false, interval: '2m' },
    resolver_preload: preload(accounts),
  }
}

/** In an order of its own, whatever that of the accounts is. */
export function preload(accounts: NetworkTrust['accounts']): Configuration {
  const sorted = accounts.toSorted((a, b) => (a.publicKey < b.publicKey ? -1 : 1))
  return Object.fromEntries(sorted.map(({ publicKey, jwt }) => [publicKey, jwt]))
}

/** What is bound to every address must say under which one it is reached. */
function advertise(key: string, { host, listen, port }: Endpoint): Configuration {
  return host === listen ? {} : { [key]: formatHostPort(host, port) }
}

const serversOf = ({ regions }: ServerNetwork, region: string) =>
  regions.filter(({ name }) => name === region).flatMap(({ servers }) => servers)

function pinsOf({ pins }: ServerNetwork, peers: readonly { readonly name: string }[]) {
  return pins && knownPins(pins, peers)
}

/** An empty list of pins would admit every certificate of the authority (nats-server 2.15). */
export function knownPins(
  pins: ReadonlyMap<string, string>,
  peers: readonly { readonly name: string }[],
): string[] {
  const known = peers.map(({ name }) => pins.get(name)).filter((pin) => pin !== undefined)
  if (known.length !== peers.length) throw new TypeError('a peer has no pin')
  return known.length === 0 ? [noPin] : known
}

const noPin = '0'.repeat(64)
