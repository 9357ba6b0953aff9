// A workload exchanges the token that says what it is for a credential of its own key: over HTTPS, or
// through the lobby, where it is sealed to the one region that is asked.
import { randomBytes } from 'node:crypto'
import { readAnswer } from '../core/access/ask.ts'
import {
  makeExchange,
  readTokenAnswer,
  type AskingExchange,
  type Exchanged,
} from '../core/access/ask-exchange.ts'
import { generateCurveKeyPair } from '../core/access/curve-key.ts'
import { regionsFrom, type Network, type NetworkRegion } from '../core/access/network-file.ts'
import { sealExchange } from '../core/access/sealed-exchange.ts'
import { Refusal } from '../core/errors.ts'
import { exchangeSubject } from '../core/network/access-subject.ts'
import type { NkeyPair } from '../core/trust/nkey.ts'
import { parseTokenKey } from '../core/trust/token-key.ts'
import { parseUser } from '../core/trust/user.ts'
import { askAccess } from '../nats/ask-access.ts'
import type { NatsConnection } from '../nats/connect.ts'
import { connectLobby } from './connect-lobby.ts'
import { post, type Posted } from './post.ts'
import type { Credential } from './request-credential.ts'

export interface TokenExchange {
  readonly network: Network
  readonly role: string
  /** A secret. It leaves only in TLS to a function, or sealed to one. */
  readonly token: string
  readonly pair: NkeyPair<'user'>
  /** The only one that is asked: others need not believe the token's issuer. Default: the first. */
  readonly region?: string
  readonly deadlineMs?: number
}

/** Refuses with the function's own refusal, or ERR_NO_ANSWER where the region has no function that answers. */
export async function exchangeOverNats(exchange: TokenExchange): Promise<Credential> {
  const nc = await connectLobby(exchange.network, exchange.region)
  try {
    return await exchangeOver(nc, { ...exchange, inboxPrefix: '_INBOX' })
  } finally {
    await nc.close()
  }
}

/** The least that archipelago.yaml may let it take (`lobby.payloadBytesMax`). */
const lobbyBytesAlways = 4096

/** Over a connection that is there: the lobby's, or that of the credential which ends. */
async function exchangeOver(
  nc: NatsConnection,
  exchange: TokenExchange & { readonly inboxPrefix: string },
): Promise<Credential> {
  const { network, inboxPrefix, deadlineMs = 5_000 } = exchange
  const asking = startAsking(exchange)
  const region = regionOf(exchange)
  const { form, claims } = makeExchange(asking)
  const bytes = sealExchange(form, { region: region.name, key: tokenKeyOf(network, region) })
  const started = performance.now()
  const granted = await askAccess<Exchanged>(nc, {
    subjects: [exchangeSubject(region.name)],
    ...{ bytes, inboxPrefix, deadlineMs },
    read: (answer) => {
      const read = readAnswer(answer, { claims }, asking)
      if (read.kind === 'granted') return { verdict: 'done', answer: read }
      if (read.kind === 'ignored') return { verdict: 'wait' }
      if (read.isBusy) return { verdict: 'next' }
      throw read.refusal
    },
  }).catch((cause: unknown) => {
    // Who sends more than is taken gets no answer: the connection is closed, often before it is said why. Where
    // the limit was told in time, the client itself refuses to send it.
    const isTooLarge = bytes.length > lobbyBytesAlways && (nc.isClosed() || isOverLimit(nc, bytes))
    if (!isTooLarge) throw cause
    const what = `token is too large for the lobby: ${exchange.token.length} characters`
    throw new Refusal('ERR_REQUEST_OVERSIZE', what, { cause })
  })
  return toCredential(exchange, granted, performance.now() - started)
}

const isOverLimit = ({ info }: NatsConnection, { length }: Uint8Array) =>
  info !== undefined && length > info.max_payload

/** At the HTTPS door of the region's function, or at `url`. */
export async function exchangeOverHttps(
  exchange: TokenExchange & { readonly url?: string },
): Promise<Credential> {
  const { network, url = httpsOf(exchange) } = exchange
  return postExchange(exchange, { url, tls: { ca: network.file.ca } })
}

/** By whatever TLS the caller wants; `isCertificate`: the token is the digest of what is shown in it. */
export async function postExchange(
  exchange: TokenExchange & Pick<AskingExchange, 'isCertificate'>,
  { url, tls }: Pick<Posted, 'tls'> & { readonly url: string },
): Promise<Credential> {
  const { deadlineMs = 5_000 } = exchange
  const asking = startAsking(exchange)
  const ask = makeExchange(asking)
  const started = performance.now()
  const type = 'application/x-www-form-urlencoded'
  const bytes = await post(url, { body: ask.form, type, tls, deadlineMs })
  return toCredential(exchange, readTokenAnswer(bytes, ask, asking), performance.now() - started)
}

function startAsking({
  network,
  role,
  token,
  pair,
  isCertificate,
}: Parameters<typeof postExchange>[0]): AskingExchange {
  return {
    operator: network.operator,
    ...{ role, token, pair, isCertificate: isCertificate === true },
    curve: generateCurveKeyPair(),
    nonce: randomBytes(18).toString('base64url'),
    nowMs: Date.now(),
  }
}

function regionOf({ network, region }: TokenExchange): NetworkRegion {
  return regionsFrom(network.file, region)[0] as NetworkRegion
}

function tokenKeyOf({ operator }: Network, { name: region, tokenKey }: NetworkRegion) {
  if (tokenKey === undefined)
    throw new Refusal('ERR_TARGET_UNKNOWN', `region ${region} exchanges no tokens`)
  return parseTokenKey(tokenKey, { operator, region, nowSeconds: Date.now() / 1000 })
}

function httpsOf(exchange: TokenExchange): string {
  const { name, https } = regionOf(exchange)
  if (https.identity === undefined)
    throw new Refusal('ERR_TARGET_UNKNOWN', `region ${name} exchanges no tokens over HTTPS`)
  return https.identity
}

function toCredential({ pair }: TokenExchange, granted: Exchanged, tookMs: number): Credential {
  const creds = { user: parseUser(granted.jwt), pair }
  return { creds, accountJwt: granted.account, region: granted.region, tookMs }
}
