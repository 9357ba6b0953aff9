// The requestor's side of a request: what it sends, and how it knows the answer that it may believe.
import { Refusal, type RefusalCode } from '../errors.ts'
import type { FunctionDoor } from '../network/access-subject.ts'
import type { NkeyPair } from '../trust/nkey.ts'
import type { OperatorJwt } from '../trust/operator.ts'
import { openAnswer } from './answer.ts'
import type { CurveKeyPair } from './curve-key.ts'
import { parseName } from './name.ts'
import { encodeProof, signProof, type ProofClaims } from './proof.ts'

export interface Asking {
  readonly operator: OperatorJwt
  readonly door: FunctionDoor
  readonly role: string
  readonly name: string
  readonly pair: NkeyPair<'user'>
  readonly curve: CurveKeyPair
  /** 16 or more random bytes in base64url. */
  readonly nonce: string
  readonly nowMs: number
  readonly invite?: { readonly ticket: string; readonly key: NkeyPair<'user'> }
  /** The credential that is to be renewed. */
  readonly currentJwt?: string
}
export interface Ask {
  readonly bytes: Uint8Array
  readonly claims: ProofClaims
}

/** Refuses a name that every function would refuse. */
export function makeAsk(asking: Asking): Ask {
  const { operator, door, role, name, pair, curve, nonce, nowMs, invite, currentJwt } = asking
  const claims: ProofClaims = {
    audience: operator.claims.sub,
    door,
    nkey: pair.publicKey,
    curve: curve.publicKey,
    role,
    name: parseName(name),
    time: nowMs,
    nonce,
  }
  const proof = encodeProof(claims)
  const request = {
    proof,
    signature: signProof(pair, proof, currentJwt === undefined ? 'access' : 'renewal'),
    ...(invite && {
      ticket: invite.ticket,
      ticketSignature: signProof(invite.key, proof, 'invite'),
    }),
    ...(currentJwt !== undefined && { jwt: currentJwt }),
  }
  return { bytes: Buffer.from(JSON.stringify(request)), claims }
}

export type ReadAnswer =
  | {
      readonly kind: 'granted'
      readonly jwt: string
      readonly account: string
      readonly region: string
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly isBusy: boolean }
  /** Not an answer to us: forged, reflected or meant for somebody else. */
  | { readonly kind: 'ignored'; readonly reason: string }

/** Reads one answer of many that may come; only ours and only whole ones count. Never throws. */
export function readAnswer(
  bytes: Uint8Array,
  { claims }: Pick<Ask, 'claims'>,
  asking: Pick<Asking, 'curve' | 'operator' | 'nowMs'>,
): ReadAnswer {
  try {
    const body = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>
    if (typeof body['sealed'] !== 'string') return readRefusal(body, claims)
    const { curve, operator, nowMs } = asking
    const { answer } = openAnswer(body['sealed'], {
      claims,
      curve,
      operator,
      nowSeconds: nowMs / 1000,
    })
    return { kind: 'granted', jwt: answer.jwt, account: answer.account, region: answer.region }
  } catch (error) {
    return { kind: 'ignored', reason: error instanceof Refusal ? error.message : 'not an answer' }
  }
}

/** Nobody in the lobby knows the nonce before the answer, so nobody there can forge a refusal. */
function readRefusal(body: Record<string, unknown>, { nonce }: ProofClaims): ReadAnswer {
  const { code, message } = body
  const isCode = typeof code === 'string' && /^ERR_[A-Z_]{3,40}$/.test(code)
  if (!isCode || (body['nonce'] !== nonce && code !== 'ERR_BUSY'))
    return { kind: 'ignored', reason: 'refusal of another request' }
  const text = String(message).replaceAll(/\p{C}/gu, ' ').slice(0, 200)
  return {
    kind: 'refused',
    refusal: new Refusal(code as RefusalCode, text),
    isBusy: code === 'ERR_BUSY',
  }
}
