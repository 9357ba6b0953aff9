import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectionOptions as TlsConnection } from 'node:tls'
import type {
  ConnectionOptions,
  NatsConnection,
  ReconnectToServerHandler,
} from '@nats-io/nats-core'
import { Refusal } from '../core/errors.ts'
import type { Creds } from '../core/trust/creds.ts'
import { parseCertificate } from '../core/identity/certificate.ts'
import type { SpiffeId } from '../core/identity/spiffe-id.ts'
import { requireSvid } from '../core/identity/svid.ts'
import type { NkeyPair } from '../core/trust/nkey.ts'
import { credsAuthenticator, nkeyAuthenticator } from './authenticator.ts'
import { connectOver, hungUp, type Way } from './transport.ts'

export type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'

export interface Target extends Way {
  readonly servers: readonly string[]
  /**
   * PEM of the authorities that the servers' certificates must lead to. It is read anew at every dial,
   * as an identity is: a reconnect shows and believes what was renewed meanwhile. It and `identity`
   * are the affair of `open`, where there is one.
   */
  readonly ca: string
  /** By which the servers have to show themselves, where they are dialled by other names. */
  readonly serverName?: string
  /** Where both ends show identities. `ca` is then of regions' authorities, which are no roots. */
  readonly identity?: OwnIdentity
  /** Shown to whoever looks at the server's connections. */
  readonly name: string
  readonly timeoutMs?: number
  readonly options?: Partial<ConnectionOptions>
}

/** What a process shows, and whom alone it speaks to. PEM. */
export interface OwnIdentity {
  readonly certificate: string
  readonly key: string
  readonly peer: SpiffeId
}

/** Connects with a credential, asked for anew at every dial; answers come to an inbox of its own key. */
export function connectWithCreds(target: Target, current: () => Creds): Promise<NatsConnection> {
  const inboxPrefix = `_INBOX.${current().pair.publicKey}`
  return dial(target, { authenticator: credsAuthenticator(current), inboxPrefix })
}

/** Connects to a server that knows its users by nkey. */
export function connectWithNkey(target: Target, pair: NkeyPair<'user'>): Promise<NatsConnection> {
  const inboxPrefix = `_INBOX.${pair.publicKey}`
  return dial(target, { authenticator: nkeyAuthenticator(pair), inboxPrefix })
}

/**
 * A refusal counts when it was said twice. nats-server that takes a new configuration refuses, in the
 * words that it has for everybody, also whoever has only just come and not said yet who he is
 * (server/reload.go, reloadAuthorization, 2.15); in operator mode at every reload.
 */
async function dial(target: Target, proof: Partial<ConnectionOptions>): Promise<NatsConnection> {
  try {
    return await dialOnce(target, proof)
  } catch (error) {
    if (!(error as Error).message.endsWith(`: ${refusedByServer}`)) throw error
    await delay(secondChanceMs)
    return dialOnce(target, proof)
  }
}

const refusedByServer = 'Authorization Violation'
const secondChanceMs = 250

async function dialOnce(
  target: Target,
  proof: Partial<ConnectionOptions>,
): Promise<NatsConnection> {
  const { servers, identity, name, timeoutMs = 5_000, options, open, onHandshake } = target
  const tls = identity === undefined ? serverTls(target) : mutualTls(target, identity)
  const first = limitFirstDial(servers.length)
  try {
    const dialling = {
      servers: [...servers],
      name,
      timeout: timeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitterTLS: 250,
      pingInterval: 10_000,
      ignoreAuthErrorAbort: true,
      ...(options?.waitOnFirstConnect !== true && { reconnectToServer: first.choose }),
      ...proof,
      ...options,
    }
    const connection = await connectOver(dialling, { tls, open, onHandshake })
    first.isOver = true
    return connection
  } catch (cause) {
    const reason = (cause as Error).message.replace(hungUp, '')
    throw new Refusal('ERR_CONNECT', `cannot connect to ${servers.join(', ')}: ${reason}`, {
      cause,
    })
  }
}

const serverTls = (target: Target): TlsConnection => ({
  ...(target.serverName !== undefined && { servername: target.serverName }),
  get ca() {
    return target.ca
  },
})

function mutualTls(target: Target, first: OwnIdentity): TlsConnection {
  const identity = (): OwnIdentity => target.identity ?? first
  const { peer } = first
  return {
    get ca() {
      return target.ca
    },
    get cert() {
      return identity().certificate
    },
    get key() {
      return identity().key
    },
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.3',
    // In place of the host: an identity is the same wherever it is dialled.
    checkServerIdentity: (_, { raw }) => refusalOf(raw, peer),
  }
}

function refusalOf(raw: Buffer, expected: SpiffeId): Error | undefined {
  try {
    const id = requireSvid(parseCertificate(raw))
    if (id === expected) return undefined
    return new Refusal('ERR_PEER_ID', `peer is ${id}, not ${expected}`)
  } catch (error) {
    return error as Error
  }
}

/**
 * Who reconnects for ever would also dial for ever at first, with a credential that no server takes:
 * until the first connection every server is dialled twice, and no more.
 */
function limitFirstDial(servers: number): { isOver: boolean; choose: ReconnectToServerHandler } {
  let left = 2 * servers
  const first = {
    isOver: false,
    choose: () => {
      if (!first.isOver && left-- <= 0) throw new Error('every server refused, or is not there')
      return null
    },
  }
  return first
}
