// What a token is worth: a pure decision over one exchange, as the other doors have theirs.
import { Refusal } from '../errors.ts'
import type { SpiffeId } from '../identity/spiffe-id.ts'
import { quote } from '../quote.ts'
import { formatTime, thisClock } from '../time.ts'
import {
  requireProof,
  requireRole,
  signedFor,
  type Considered,
  type DecisionContext,
} from './decision.ts'
import { requireNameAllowed, requireNotWithdrawn } from './denial.ts'
import { certificateType, type ExchangeRequest } from './exchange-request.ts'
import { tokenHash } from './token-hash.ts'
import { subjectOfId, verifySubjectToken, type Subject } from './subject-token.ts'

/** The verified certificate of the connection that a request came by. */
export interface ConnectionIdentity {
  readonly id: SpiffeId
  /** Of the leaf's DER, base64url. */
  readonly sha256: string
  readonly notAfterMs: number
}
export interface ExchangeContext extends DecisionContext {
  readonly region: string
  readonly identity?: ConnectionIdentity | undefined
}

/** All but the signature of the proof. Refuses with the rule that stood in the way. */
export function considerExchange(request: ExchangeRequest, context: ExchangeContext): Considered {
  const { claims, proof } = request
  requireProof(request, context)
  if (claims.token !== tokenHash(request.subjectToken))
    throw new Refusal('ERR_TOKEN_BINDING', 'proof is for another token than the one that came')
  requireRole(request, context)
  const { name, role, entry, endsAtMs } = subjectOf(request, context)
  requireNameAllowed(context.denyList, name)
  requireNotWithdrawn(context.denyList, name)
  if (role.name !== claims.role)
    throw new Refusal('ERR_ROLE_DOOR', `role ${claims.role} is not given to ${quote(name)}`)
  const { nkey, curve, nonce, time } = claims
  const issuedAtSeconds = Math.floor(time / 1000)
  const grant = {
    ...{ rule: 'identity' as const, role, entry, name, nkey, curve, nonce, proof, issuedAtSeconds },
    expiresAtSeconds: endOf(issuedAtSeconds + role.lifetimeSeconds, endsAtMs, context.nowMs),
  }
  return { grant, signed: signedFor('exchange', request) }
}

function subjectOf(request: ExchangeRequest, context: ExchangeContext): Subject {
  const { subjectToken, subjectTokenType, claims } = request
  const { archipelago, region, identity, nowMs } = context
  if (subjectTokenType !== certificateType)
    return verifySubjectToken(subjectToken, { archipelago, region, nkey: claims.nkey, nowMs })
  if (identity === undefined || identity.sha256 !== subjectToken)
    throw new Refusal('ERR_TOKEN_CERTIFICATE', "subject_token is not the connection's certificate")
  return subjectOfId(archipelago, identity.id, identity.notAfterMs)
}

/** The earlier of both, also for a request that is played again. Unix seconds. */
function endOf(ofRoleSeconds: number, ofTokenMs: number, nowMs: number): number {
  const end = Math.min(ofRoleSeconds, Math.floor(ofTokenMs / 1000))
  if (end * 1000 > nowMs) return end
  const ended = `a credential for it would have ended ${formatTime(end * 1000)}`
  throw new Refusal('ERR_TOKEN_EXPIRED', `token refused: ${ended}, ${thisClock(nowMs)}`)
}
