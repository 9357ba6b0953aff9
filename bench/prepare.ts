// Requests, made and signed before they are needed.
import { randomBytes } from 'node:crypto'
import { makeAsk, readAnswer, type Ask, type Asking } from '../core/access/ask.ts'
import { generateCurveKeyPair } from '../core/access/curve-key.ts'
import { Refusal } from '../core/errors.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import { makeNkeyPair } from '../store/key-file.ts'

export interface Prepared {
  readonly asking: Asking
  readonly ask: Ask
  readonly bytes: Uint8Array
}

/** Requests of so many requestors; their proofs are good for a minute from now. */
export function prepareRequests(operator: OperatorJwt, count: number): Prepared[] {
  return Array.from({ length: count }, () => prepareRequest(operator))
}

export function prepareRequest(operator: OperatorJwt): Prepared {
  const asking = startAsking(operator)
  const ask = makeAsk(asking)
  return { asking, ask, bytes: ask.bytes }
}

export function startAsking(operator: OperatorJwt): Asking {
  return {
    operator,
    door: 'lobby',
    role: 'member',
    name: 'alice',
    pair: makeNkeyPair('user'),
    curve: generateCurveKeyPair(),
    nonce: randomBytes(18).toString('base64url'),
    nowMs: Date.now(),
  }
}

/** Opens the answer as its requestor would, down to the operator; refuses all but a good one. */
export function requireGranted(
  { asking, ask }: Prepared,
  answer: Uint8Array,
  region?: string,
): void {
  const read = readAnswer(answer, ask, asking)
  if (read.kind === 'refused') throw read.refusal
  if (read.kind === 'ignored') throw new Refusal('ERR_ANSWER_ILLEGAL', read.reason)
  if (region !== undefined && read.region !== region)
    throw new Refusal('ERR_ANSWER_ILLEGAL', `answered in another region: ${read.region}`)
}
