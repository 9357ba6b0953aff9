// The answer: everybody in the lobby may hear it, so it is sealed to the requestor's curve key and
// bound to the proof; and the requestor believes nothing that does not lead to the pinned operator.
import { Refusal } from '../errors.ts'
import { verifyChain, type Chain } from '../trust/chain.ts'
import { parseScopeName } from '../trust/declare.ts'
import type { OperatorJwt } from '../trust/operator.ts'
import type { CurveKey, CurveKeyPair } from './curve-key.ts'
import { open, seal } from './hpke.ts'
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

/** Base64url of the answer, sealed to the requestor. */
export function sealAnswer(answer: Answer, to: { curve: CurveKey; proof: string }): string {
  const plaintext = Buffer.from(JSON.stringify(answer))
  const sealed = seal(to.curve, { info, aad: Buffer.from(to.proof), plaintext })
  return Buffer.from(sealed).toString('base64url')
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
  const answer = JSON.parse(Buffer.from(bytes).toString()) as Answer
  if (answer.nonce !== claims.nonce || answer.nkey !== claims.nkey)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is to another request: ${answer.nkey}`)
  const chain = verifyChain(
    { userJwt: answer.jwt, accountJwt: answer.account },
    { operator, nowSeconds },
  )
  const { sub, name } = chain.user.claims
  if (sub !== claims.nkey || name !== claims.name)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is for another key or name: ${sub}`)
  if (parseScopeName(chain.scope.role)?.role !== claims.role)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answer is for another role: ${chain.scope.role}`)
  return { answer, chain }
}
