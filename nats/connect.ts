import type {
  ConnectionOptions,
  NatsConnection,
  ReconnectToServerHandler,
} from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { Refusal } from '../core/errors.ts'
import type { Creds } from '../core/trust/creds.ts'
import type { NkeyPair } from '../core/trust/nkey.ts'
import { credsAuthenticator, nkeyAuthenticator } from './authenticator.ts'

export type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core'

export interface Target {
  readonly servers: readonly string[]
  /** PEM of the authorities that the servers' certificates must lead to. */
  readonly ca: string
  /** Shown to whoever looks at the server's connections. */
  readonly name: string
  readonly timeoutMs?: number
  readonly options?: Partial<ConnectionOptions>
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

async function dial(
  { servers, ca, name, timeoutMs = 5_000, options }: Target,
  identity: Partial<ConnectionOptions>,
): Promise<NatsConnection> {
  const first = limitFirstDial(servers.length)
  try {
    const connection = await connect({
      servers: [...servers],
      tls: { ca },
      name,
      timeout: timeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitterTLS: 250,
      pingInterval: 10_000,
      ignoreAuthErrorAbort: true,
      ...(options?.waitOnFirstConnect !== true && { reconnectToServer: first.choose }),
      ...identity,
      ...options,
    })
    first.isOver = true
    return connection
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Refusal('ERR_CONNECT', `cannot connect to ${servers.join(', ')}: ${reason}`, {
      cause,
    })
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
