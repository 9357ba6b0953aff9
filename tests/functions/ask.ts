// Requests spelled by hand, sent to the functions of a running network, and what came back as it came.
import { randomBytes } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { generateCurveKeyPair } from '../../core/access/curve-key.ts'
import { encodeProof, signProof, type ProofClaims } from '../../core/access/proof.ts'
import { signTicket } from '../../core/trust/invite.ts'
import type { NkeyPair } from '../../core/trust/nkey.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { operatorSigner } from '../../store/operator.ts'
import { dialMsMax, serversOf, type TestNetwork } from '../test-network.ts'

/** What a requestor holds: keys made for one request. */
export interface Holder {
  readonly pair: NkeyPair<'user'>
  readonly curve: ReturnType<typeof generateCurveKeyPair>
}

export function makeHolder(): Holder {
  return { pair: makeNkeyPair('user'), curve: generateCurveKeyPair() }
}

export interface Spelled {
  readonly claims?: object
  /** Replaces fields of the request; undefined leaves one out. */
  readonly fields?: object
  readonly purpose?: 'access' | 'renewal'
  readonly holder?: Holder
  /** Who signs the proof, if not its holder. */
  readonly signer?: NkeyPair<'user'>
}

/** A request at the lobby for a member, with whatever is wrong about it signed as well. */
export function spell(network: TestNetwork, spelled: Spelled = {}): Uint8Array {
  const { claims = {}, fields = {}, purpose = 'access', holder = makeHolder() } = spelled
  const proof = encodeProof({ ...claimsOf(network, holder), ...claims })
  const signature = signProof(spelled.signer ?? holder.pair, proof, purpose)
  return Buffer.from(JSON.stringify({ proof, signature, ...fields }))
}

export function claimsOf(
  { network }: TestNetwork,
  { pair, curve }: Holder,
): ProofClaims & { readonly name: string } {
  return {
    audience: network.operator.claims.sub,
    door: 'lobby',
    nkey: pair.publicKey,
    curve: curve.publicKey,
    role: 'member',
    name: 'alice',
    time: Date.now(),
    nonce: randomBytes(18).toString('base64url'),
  }
}

export interface InviteSpelled extends Spelled {
  readonly ticket?: Partial<Parameters<typeof signTicket>[1]>
  readonly ticketSigner?: NkeyPair<'operator'>
  readonly key?: NkeyPair<'user'>
  readonly keySigner?: NkeyPair<'user'>
}

/** A request with an invite, signed by the network's operator unless somebody else is named. */
export function spellInvite(
  network: TestNetwork,
  spelled: InviteSpelled = {},
): { bytes: Uint8Array; ticketId: string } {
  const { holder = makeHolder(), key = makeNkeyPair('user'), claims = {} } = spelled
  const all = { ...claimsOf(network, holder), door: 'invite', role: 'moderator', ...claims }
  const proof = encodeProof(all)
  const ticket = signTicket(spelled.ticketSigner ?? signerOf(network), {
    key: key.publicKey,
    role: 'moderator',
    name: all.name,
    nowSeconds: nowSeconds(),
    expiresAtSeconds: nowSeconds() + 600,
    ...spelled.ticket,
  })
  const ticketSignature = signProof(spelled.keySigner ?? key, proof, 'invite')
  const fields = { ticket: ticket.text, ticketSignature, ...spelled.fields }
  return {
    bytes: spell(network, { ...spelled, holder, claims: all, fields }),
    ticketId: ticket.claims.jti,
  }
}

export function signerOf({ operator }: TestNetwork): NkeyPair<'operator'> {
  return operatorSigner(operator.store, operator.operator)
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/** A connection of the lobby, whose inboxes everybody there hears. */
export function enterLobby(
  { network }: TestNetwork,
  region: string,
  options: object = {},
): Promise<NatsConnection> {
  const servers = serversOf(network, region)
  const target = { servers, ca: network.file.ca, name: 'test lobby', timeoutMs: dialMsMax }
  const inboxPrefix = '_INBOX'
  return connectWithCreds({ ...target, options: { inboxPrefix, ...options } }, () => network.lobby)
}

/** `status` as the service error header or HTTP says it, 200 where none does. */
export interface Answered {
  readonly status: number
  readonly error: string | undefined
  readonly body: Record<string, unknown>
}

export async function askNats(
  nc: NatsConnection,
  subject: string,
  bytes: Uint8Array,
  timeout = 20_000,
): Promise<Answered> {
  const answer = await nc.request(subject, bytes, { timeout })
  return {
    status: Number(answer.headers?.get('Nats-Service-Error-Code') || 200),
    error: answer.headers?.get('Nats-Service-Error'),
    body: answer.json(),
  }
}

export interface HttpAnswer extends Answered {
  readonly headers: NodeJS.Dict<string | string[]>
}

export function askHttp(
  url: string,
  { ca, body, ...options }: { ca?: string; body?: Uint8Array } & Record<string, unknown>,
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const all = { method: 'POST', agent: false, ca, ...options }
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  const asked = request(url, all, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
      const { statusCode: status = 0, headers } = response
      const error =
        status === 200 ? undefined : `${String(body['code'])}: ${String(body['message'])}`
      resolve({ status, error, body, headers })
    })
  })
  asked.on('error', reject)
  asked.end(body)
  return promise
}
