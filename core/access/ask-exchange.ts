// The workload's side of an exchange: what it sends, and which answer it may believe.
import { Refusal, type RefusalCode } from '../errors.ts'
import { verifyChain } from '../trust/chain.ts'
import { parseScopeName } from '../trust/declare.ts'
import type { NkeyPair } from '../trust/nkey.ts'
import type { OperatorJwt } from '../trust/operator.ts'
import type { CurveKeyPair } from './curve-key.ts'
import {
  certificateType,
  grantType,
  jwtType,
  proofParameter,
  signatureParameter,
} from './exchange-request.ts'
import { formatForm } from './form.ts'
import { encodeProof, signProof, type ProofClaims } from './proof.ts'
import { tokenHash } from './token-hash.ts'

export interface AskingExchange {
  readonly operator: OperatorJwt
  readonly role: string
  readonly token: string
  /** The token is the digest of the connection's own certificate. */
  readonly isCertificate?: boolean
  readonly pair: NkeyPair<'user'>
  readonly curve: CurveKeyPair
  /** 16 or more random bytes in base64url. */
  readonly nonce: string
  readonly nowMs: number
}
export interface ExchangeAsk {
  readonly form: string
  readonly claims: ProofClaims
}

export function makeExchange(asking: AskingExchange): ExchangeAsk {
  const { operator, role, token, isCertificate, pair, curve, nonce, nowMs } = asking
  const claims: ProofClaims = {
    audience: operator.claims.sub,
    door: 'identity',
    nkey: pair.publicKey,
    curve: curve.publicKey,
    role,
    time: nowMs,
    nonce,
    token: tokenHash(token),
  }
  const proof = encodeProof(claims)
  const form = formatForm({
    grant_type: grantType,
    subject_token: token,
    subject_token_type: isCertificate ? certificateType : jwtType,
    requested_token_type: jwtType,
    [proofParameter]: proof,
    [signatureParameter]: signProof(pair, proof, 'exchange'),
  })
  return { form, claims }
}

export interface Exchanged {
  readonly jwt: string
  readonly account: string
  readonly region: string
}

/**
 * Reads what came over HTTP. Refuses with the function's own refusal, and an answer that is not a
 * credential of this key and role which leads to the pinned operator.
 */
export function readTokenAnswer(
  bytes: Uint8Array,
  { claims }: ExchangeAsk,
  { operator, nowMs }: Pick<AskingExchange, 'operator' | 'nowMs'>,
): Exchanged {
  const { access_token: jwt, account, region, ...body } = parse(bytes)
  if (typeof jwt !== 'string' || typeof account !== 'string') throw toRefusal(body)
  const options = { operator, nowSeconds: nowMs / 1000 }
  const { user, scope } = verifyChain({ userJwt: jwt, accountJwt: account }, options)
  const isAsked = parseScopeName(scope.role)?.role === claims.role
  if (user.claims.sub !== claims.nkey || !isAsked)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is for another key or role: ${scope.role}`)
  return { jwt, account, region: String(region) }
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Whatever it is, it is no answer of a function.
  }
  throw new Refusal('ERR_ANSWER_ILLEGAL', 'answer is not JSON')
}

function toRefusal({ error, error_description: description }: Record<string, unknown>): Refusal {
  const text = String(description).replaceAll(/\p{C}/gu, ' ').slice(0, 300)
  const [, code, message] = /^(ERR_[A-Z_]{3,40}): (.*)$/s.exec(text) ?? []
  if (code !== undefined && message !== undefined) return new Refusal(code as RefusalCode, message)
  return new Refusal('ERR_ANSWER_ILLEGAL', `answer is no credential: ${String(error).slice(0, 64)}`)
}
