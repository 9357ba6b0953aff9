import type { Configuration } from './configuration.ts'
import { formatUrl, type LeafnodePlace, type RegionPlace } from './endpoint.ts'
import { knownPins, listenAt, logTo, type LogFile, serverLimits } from './server.ts'
import { peerTls, type PeerFiles } from './tls.ts'

/** A function process, known by its nkey. An empty list means nothing at all. */
export interface FunctionUser {
  readonly publicKey: string
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

export interface LeafnodeFiles {
  /** Its identity, and its own region's authority. */
  readonly tls: PeerFiles
  /** Read again at every dial, so a renewed credential needs no reload. */
  readonly credentials: string
  readonly log?: LogFile
}

export interface LeafnodeNetwork {
  readonly region: RegionPlace
  readonly account: string
  readonly functions: readonly FunctionUser[]
  readonly pins?: ReadonlyMap<string, string>
}

/**
 * The configuration of a region's leafnode server: it dials out to its region's servers and listens
 * on loopback only, for functions of its region, by certificate and nkey. It has no operator: whom it admits stands in this file.
 * A TypeError without a function, for a server without users admits anybody.
 */
export function configureLeafnode(
  leafnode: LeafnodePlace,
  network: LeafnodeNetwork,
  files: LeafnodeFiles,
): Configuration {
  if (network.functions.length === 0) throw new TypeError(`${leafnode.name} has no function`)
  return {
    server_name: leafnode.name,
    listen: listenAt(leafnode.client),
    // Without pins: a function proves its nkey, too.
    tls: peerTls(files.tls, undefined),
    http: listenAt(leafnode.monitor),
    ...serverLimits(connectionsMax),
    ...logTo(files.log),
    ...configureFunctionUsers(network.account, network.functions),
    leafnodes: {
      reconnect: '500ms',
      // No listener: this block pins whom the remotes below may dial.
      tls: remoteTls(network, files),
      remotes: [remote(network, files)],
    },
  }
}

/** Whom the client listener admits, in a block of its own: in a cluster its keys are known there alone. */
export function configureFunctionUsers(
  account: string,
  functions: readonly FunctionUser[],
): Configuration {
  return { accounts: { [account]: { users: functions.map(functionUser) } } }
}

// A few functions, twice during a renewal, and somebody who looks.
const connectionsMax = 64

function functionUser({ publicKey, publish, subscribe }: FunctionUser): Configuration {
  return {
    nkey: publicKey,
    permissions: { publish: allowOnly(publish), subscribe: allowOnly(subscribe) },
  }
}

/** For nats-server an empty list of allowed subjects allows all. */
function allowOnly(subjects: readonly string[]): Configuration {
  return subjects.length === 0 ? { deny: ['>'] } : { allow: subjects }
}

function remote(
  { region, account, ...network }: LeafnodeNetwork,
  files: LeafnodeFiles,
): Configuration {
  return {
    urls: region.servers.map(({ leafnode }) => formatUrl(leafnode)),
    account,
    credentials: files.credentials,
    first_info_timeout: '5s',
    tls: remoteTls({ region, account, ...network }, files),
  }
}

function remoteTls({ region, pins }: LeafnodeNetwork, { tls }: LeafnodeFiles): Configuration {
  const known = pins && knownPins(pins, region.servers)
  return { ...peerTls(tls, known), handshake_first: true }
}
