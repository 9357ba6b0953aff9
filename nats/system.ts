// Asks the servers through the system account. The answers' types name only what this project reads.
import type { NatsConnection } from '@nats-io/nats-core'
import { Refusal } from '../core/errors.ts'
import { defaultDeadlineMs, gather, type GatherOptions } from './gather.ts'

export interface ServerIdentity {
  readonly name: string
  readonly id: string
  readonly cluster?: string
  readonly ver: string
}

export interface Answer<T> {
  readonly server: ServerIdentity
  readonly data: T
}

interface ListenerTls {
  readonly tls_required?: boolean
  readonly tls_verify?: boolean
}

export interface Varz extends ListenerTls {
  readonly server_id: string
  readonly server_name: string
  readonly version: string
  readonly start: string
  readonly config_load_time: string
  readonly config_digest: string
  readonly connections: number
  readonly cluster?: ListenerTls
  readonly gateway?: ListenerTls & { readonly reject_unknown?: boolean }
  readonly leaf?: ListenerTls
  readonly websocket?: { readonly port?: number; readonly no_tls?: boolean }
}

export interface Routez {
  readonly routes: readonly {
    readonly remote_id: string
    readonly remote_name: string
    readonly start: string
  }[]
}

/** For a gateway connection `name` is the id of the server at the other end. */
export interface RemoteGateway {
  readonly connection: { readonly name: string; readonly rtt?: string; readonly start: string }
}

export interface Gatewayz {
  readonly name?: string
  readonly outbound_gateways: Readonly<Record<string, RemoteGateway>>
  readonly inbound_gateways: Readonly<Record<string, readonly RemoteGateway[]>>
}

export interface Leafz {
  readonly leafs?: readonly {
    readonly id: number
    readonly name: string
    readonly account: string
  }[]
}

/** Of a client or leafnode, asked with `auth: true`. */
export interface Connection {
  readonly cid: number
  readonly kind?: string
  readonly type?: string
  readonly ip: string
  readonly start: string
  readonly name?: string
  readonly account?: string
  readonly authorized_user?: string
  readonly issuer_key?: string
  readonly name_tag?: string
  readonly jwt?: string
  /** Leaf first; where the listener asked for a certificate. */
  readonly tls_peer_certs?: readonly {
    readonly cert_sha256?: string
    readonly spki_sha256?: string
  }[]
}

export interface Connz {
  readonly total: number
  readonly offset: number
  readonly limit: number
  readonly connections: readonly Connection[]
}

export interface Accountz {
  readonly accounts?: readonly string[]
  readonly account_detail?: {
    readonly account_name: string
    readonly jwt?: string
    readonly expired: boolean
  }
}

/** What may be asked, and what is answered. */
export interface Answers {
  readonly VARZ: Varz
  readonly ROUTEZ: Routez
  readonly GATEWAYZ: Gatewayz
  readonly LEAFZ: Leafz
  readonly CONNZ: Connz
  readonly ACCOUNTZ: Accountz
}

export type Question = keyof Answers

/**
 * Asks every server of the supercluster; each answers at most once, in no order. Who does not answer
 * in time, or answers with an error, is missing from the list: the caller knows whom it expects.
 */
export async function askServers<Q extends Question>(
  connection: NatsConnection,
  question: Q,
  options: GatherOptions = {},
): Promise<Answer<Answers[Q]>[]> {
  const subject = `$SYS.REQ.SERVER.PING.${question}`
  const messages = await gather(connection, subject, payloadOf(options.options), options)
  return messages.flatMap((message) => {
    const { server, data }: Partial<Answer<Answers[Q]>> = message.json()
    return server && data ? [{ server, data }] : []
  })
}

/** Names and ids of the servers that answer: the cheapest question. */
export async function pingServers(
  connection: NatsConnection,
  options: GatherOptions = {},
): Promise<{ name: string; id: string; host: string }[]> {
  const messages = await gather(connection, '$SYS.REQ.SERVER.PING.IDZ', '', options)
  return messages.map((message) => message.json())
}

/** Asks one server. Refuses its error answer and its silence. */
export async function askServer<Q extends Question>(
  connection: NatsConnection,
  serverId: string,
  { question, options, deadlineMs }: { question: Q } & Omit<GatherOptions, 'expected' | 'stallMs'>,
): Promise<Answers[Q]> {
  return await command<Answers[Q]>(connection, serverId, question, { payload: options, deadlineMs })
}

/** All connections of one server, page by page. */
export async function* readConnections(
  connection: NatsConnection,
  serverId: string,
  filter: Readonly<Record<string, unknown>> = {},
): AsyncGenerator<Connection> {
  for (let offset = 0; ;) {
    const options = { ...filter, offset, limit: connectionsPerPage }
    const page = await askServer(connection, serverId, { question: 'CONNZ', options })
    yield* page.connections
    offset += page.connections.length
    if (page.connections.length < connectionsPerPage) return
  }
}

export const connectionsPerPage = 256

/** Refuses with the server's own words when its new configuration is not taken. */
export async function reloadServer(connection: NatsConnection, serverId: string): Promise<void> {
  await command(connection, serverId, 'RELOAD', {})
}

/** Ends one client or leafnode connection; it may come back if its credential is still good. */
export async function kickConnection(
  connection: NatsConnection,
  serverId: string,
  cid: number,
): Promise<void> {
  await command(connection, serverId, 'KICK', { payload: { cid } })
}

interface Command {
  readonly payload?: Readonly<Record<string, unknown>> | undefined
  readonly deadlineMs?: number | undefined
}

async function command<T>(
  connection: NatsConnection,
  serverId: string,
  verb: string,
  { payload, deadlineMs }: Command,
): Promise<T> {
  const subject = `$SYS.REQ.SERVER.${serverId}.${verb}`
  const message = await connection.request(subject, payloadOf(payload), {
    timeout: deadlineMs ?? defaultDeadlineMs,
  })
  const { data, error } = message.json<{ data: T; error?: { description?: string } }>()
  if (error === undefined) return data
  const what = `${verb} refused by ${serverId}: ${error.description ?? 'no reason given'}`
  throw new Refusal('ERR_SERVER_REFUSED', what)
}

const payloadOf = (options: Readonly<Record<string, unknown>> | undefined) =>
  options === undefined ? '' : JSON.stringify(options)
