// The answer: everybody in the lobby may hear it, so it is sealed to the requestor's curve key and
// bound to the proof; and the requestor believes nothing that does not lead to the pinned operator.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Refusal } from '../errors.ts'
import { verifyChain, type Chain } from '../trust/chain.ts'
import { jwtCharactersMax } from '../trust/jwt.ts'
import { parseScopeName } from '../trust/declare.ts'
import type { OperatorJwt } from '../trust/operator.ts'
import type { CurveKey, CurveKeyPair } from './curve-key.ts'
import { open, seal, sealWith, type Encapsulated } from './hpke.ts'
import { encodeProof, type ProofClaims } from './proof.ts'

const info = Buffer.from('archipelago-answer-v1')

export interface Answer {
  readonly nonce: string
  readonly nkey: string
  readonly jwt: string
  /** The account's JWT, so that the chain can be checked with nothing but the operator's key. */
  readonly account: string
  readonly region: string
}

export interface SealedTo {
  readonly curve: CurveKey
  readonly proof: string
  /** Of the curve key and for this answer alone; without it one is made now. */
  readonly encapsulated?: Encapsulated
}

/** Base64url of the answer, sealed to the requestor. */
export function sealAnswer(answer: Answer, { curve, proof, encapsulated }: SealedTo): string {
  const plaintext = Buffer.from(JSON.stringify({ ...answer, account: deflate(answer.account) }))
  const message = { info, aad: Buffer.from(proof), plaintext }
  const sealed = encapsulated === undefined ? seal(curve, message) : sealWith(encapsulated, message)
  return Buffer.from(sealed).toString('base64url')
}

/**
 * An account's JWT repeats itself, ceiling after ceiling, and is as long as the rest of the answer
 * three times: it travels deflated (RFC 1951), in base64url.
 */
function deflate(accountJwt: string): string {
  const known = deflated.get(accountJwt) ?? deflateRawSync(accountJwt).toString('base64url')
  if (deflated.size >= deflatedMax) deflated.clear()
  deflated.set(accountJwt, known)
  return known
}

// All credentials of a role come with the same one.
const deflated = new Map<string, string>()
const deflatedMax = 64

function inflate(text: string): string {
  try {
    const options = { maxOutputLength: jwtCharactersMax }
    return inflateRawSync(Buffer.from(text, 'base64url'), options).toString()
  } catch (cause) {
    throw new Refusal('ERR_ANSWER_ILLEGAL', `account does not inflate: ${String(cause)}`, { cause })
  }
}

/**
 * Opens what came back and checks it to the pinned operator. Refuses an answer to somebody else, to
 * another request, for another key, or one whose chain is not this operator's.
 */
export function openAnswer(
  sealed: string,
  asked: { claims: ProofClaims; curve: CurveKeyPair; operator: OperatorJwt; nowSeconds: number },
): { answer: Answer; chain: Chain } {
  const { claims, curve, operator, nowSeconds } = asked
  const aad = Buffer.from(encodeProof(claims))
  const bytes = open(curve, { info, aad, sealed: Buffer.from(sealed, 'base64url') })
  const sent = JSON.parse(Buffer.from(bytes).toString()) as Answer
  if (sent.nonce !== claims.nonce || sent.nkey !== claims.nkey)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is to another request: ${sent.nkey}`)
  const answer = { ...sent, account: inflate(sent.account) }
  const chain = verifyChain(
    { userJwt: answer.jwt, accountJwt: answer.account },
    { operator, nowSeconds },
  )
  const { sub, name } = chain.user.claims
  const isNamed = claims.name === undefined || claims.name === name
  if (sub !== claims.nkey || !isNamed)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is for another key or name: ${sub}`)
  if (parseScopeName(chain.scope.role)?.role !== claims.role)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is for another role: ${chain.scope.role}`)
  return { answer, chain }
}
