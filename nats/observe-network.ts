import type { NatsConnection } from '@nats-io/nats-core'
import type { ObservedGateway, ObservedServer } from '../core/network/topology.ts'
import { type GatherOptions } from './gather.ts'
import {
  type Answer,
  askServers,
  type Gatewayz,
  type Leafz,
  type RemoteGateway,
  type Routez,
  type Varz,
} from './system.ts'

/** Asks all servers four questions at once. A server that leaves one unanswered counts as not seen. */
export async function observeNetwork(
  connection: NatsConnection,
  options: GatherOptions = {},
): Promise<ObservedServer[]> {
  const [varz, routez, gatewayz, leafz] = await Promise.all([
    askServers(connection, 'VARZ', options),
    askServers(connection, 'ROUTEZ', options),
    askServers(connection, 'GATEWAYZ', options),
    askServers(connection, 'LEAFZ', options),
  ])
  const names = new Map(varz.map(({ server }) => [server.id, server.name]))
  return varz.flatMap((answer) => {
    const [routes, gateways, leafnodes] = [
      dataOf(routez, answer.server.id),
      dataOf(gatewayz, answer.server.id),
      dataOf(leafz, answer.server.id),
    ]
    if (routes === undefined || gateways === undefined || leafnodes === undefined) return []
    return [{ ...describeServer(answer), ...describeLinks({ routes, gateways, leafnodes }, names) }]
  })
}

function dataOf<T>(answers: readonly Answer<T>[], id: string): T | undefined {
  return answers.find(({ server }) => server.id === id)?.data
}

function describeServer({ server, data }: Answer<Varz>) {
  return {
    name: server.name,
    cluster: server.cluster ?? '',
    version: data.version,
    configDigest: data.config_digest,
    tls: {
      clients: tlsOf(data),
      routes: tlsOf(data.cluster),
      gateways: tlsOf(data.gateway),
      leafnodes: tlsOf(data.leaf),
    },
    hasWorkloadListener: data.websocket?.port !== undefined && data.websocket.no_tls !== true,
    rejectsUnknownClusters: data.gateway?.reject_unknown === true,
  }
}

const tlsOf = (listener: { tls_required?: boolean; tls_verify?: boolean } = {}) => ({
  isRequired: listener.tls_required === true,
  isVerified: listener.tls_verify === true,
})

interface Links {
  readonly routes: Routez
  readonly gateways: Gatewayz
  readonly leafnodes: Leafz
}

function describeLinks({ routes, gateways, leafnodes }: Links, names: ReadonlyMap<string, string>) {
  const describe = (region: string, { connection }: RemoteGateway): ObservedGateway => ({
    region,
    server: names.get(connection.name) ?? connection.name,
    rttMs: parseDurationMs(connection.rtt ?? ''),
  })
  return {
    routes: [...new Set(routes.routes.map(({ remote_name }) => remote_name))],
    outboundGateways: Object.entries(gateways.outbound_gateways).map(([region, gateway]) =>
      describe(region, gateway),
    ),
    inboundGateways: Object.entries(gateways.inbound_gateways).flatMap(([region, remotes]) =>
      remotes.map((remote) => describe(region, remote)),
    ),
    leafnodes: (leafnodes.leafs ?? []).map(({ name }) => name),
  }
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  µs: 1e-3,
  ns: 1e-6,
}

/** Go writes durations as in `1m2.5s` or `341.2µs`. */
export function parseDurationMs(text: string): number {
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|µs|ns)/g)
  return parts.reduce(
    (sum, [, number, unit]) => sum + Number(number) * (unitMs[unit ?? ''] ?? 0),
    0,
  )
}
