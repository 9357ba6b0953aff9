// Connections that came by a certificate, as their servers list them.
import type { NatsConnection } from '@nats-io/nats-core'
import { formatHostPort, type Endpoint } from '../core/network/endpoint.ts'
import type { Caller } from '../core/identity/expected-callers.ts'
import { parseUser } from '../core/trust/user.ts'
import { connectionsPerPage, readConnections, type Connection, type Connz } from './system.ts'

export interface ShownConnection extends Caller {
  readonly cid: number
  /** What it says of itself. */
  readonly name: string
  readonly startMs: number
  /** Of the certificate, in hexadecimal. */
  readonly sha256?: string
}

/**
 * Of a server with an operator, asked as an observer: leafnodes and workloads, which have to show
 * certificates, and whoever else showed one.
 */
export async function observeConnections(
  connection: NatsConnection,
  serverId: string,
): Promise<ShownConnection[]> {
  const found: ShownConnection[] = []
  for await (const each of readConnections(connection, serverId, { auth: true }))
    if (hasToShow(each) || each.tls_peer_certs !== undefined) found.push(toShown(each))
  return found
}

/**
 * Of a leafnode server, by its monitoring port, which only its own machine or pod reaches and which
 * changes nothing: it has no operator, and a user of its system account could kick and reload.
 */
export async function observeMonitored(
  { host, port }: Endpoint,
  timeoutMs: number,
): Promise<ShownConnection[]> {
  const found: ShownConnection[] = []
  const signal = AbortSignal.timeout(timeoutMs)
  for (;;) {
    const page = `auth=1&limit=${connectionsPerPage}&offset=${found.length}`
    const response = await fetch(`http://${formatHostPort(host, port)}/connz?${page}`, { signal })
    const { connections } = (await response.json()) as Connz
    found.push(...connections.map(toShown))
    if (connections.length < connectionsPerPage) return found
  }
}

const hasToShow = ({ kind, type }: Connection) => kind === 'Leafnode' || type === 'websocket'

function toShown(connection: Connection): ShownConnection {
  const {
    cid,
    kind,
    name = '',
    authorized_user: claimed,
    start,
    tls_peer_certs: shown,
  } = connection
  const jwt = connection.jwt === undefined ? undefined : readUser(connection.jwt)
  const nkey = jwt?.sub ?? claimed
  const sha256 = shown?.[0]?.cert_sha256
  return {
    ...{ cid, name, startMs: Date.parse(start) },
    kind: kind === 'Leafnode' ? 'leafnode' : 'client',
    ...(nkey !== undefined && { nkey }),
    ...(jwt?.name !== undefined && { jwtName: jwt.name }),
    ...(sha256 !== undefined && { sha256 }),
  }
}

function readUser(jwt: string) {
  try {
    return parseUser(jwt).claims
  } catch {
    return undefined
  }
}
