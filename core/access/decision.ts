// Who gets what: a pure decision over one request. It signs nothing; what it grants is signed by
// whoever holds the key of that role, and only that.
import type { Archipelago, Role } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import type { FunctionDoor } from '../network/access-subject.ts'
import { quote } from '../quote.ts'
import type { AccountJwt } from '../trust/account.ts'
import type { DenyList } from '../trust/deny-list.ts'
import { parseTicket } from '../trust/invite.ts'
import type { Nkey } from '../trust/nkey.ts'
import type { OperatorJwt } from '../trust/operator.ts'
import { formatTime, thisClock } from '../time.ts'
import type { CurveKey } from './curve-key.ts'
import { requireNameAllowed, requireNkeyAllowed, requireTicketAllowed } from './denial.ts'
import { isProofBy, isProofByAsync, type ProofPurpose, type SignedProof } from './proof.ts'
import { parseRequest, type AccessRequest, type ParsedProof } from './request.ts'

/** How far a requestor's clock may be off either way, and so how long a request can be replayed. */
export const proofAgeSecondsMax = 60

/** What a function knows when it decides. */
export interface DecisionContext {
  readonly archipelago: Archipelago
  readonly operator: OperatorJwt
  readonly door: FunctionDoor
  readonly denyList: DenyList
  /** By public key: where a renewal's credential must come from. */
  readonly accounts: ReadonlyMap<string, AccountJwt>
  readonly nowMs: number
}
/** Who may be told what: all that the signer needs. Times are Unix seconds. */
export interface Grant {
  readonly rule: FunctionDoor | 'renewal'
  readonly role: Role
  readonly name: string
  readonly nkey: Nkey<'user'>
  readonly curve: CurveKey
  readonly nonce: string
  readonly proof: string
  readonly ticketId?: string
  /** Where in archipelago.yaml the workload stands. */
  readonly entry?: string
  /** The credential that is renewed: after a theft of a signing key one must find all that came of it. */
  readonly renewed?: { readonly id: string; readonly issuer: string }
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** What is granted if the proof is signed: the last rule, for it costs more than all others together. */
export interface Considered {
  readonly grant: Grant
  readonly signed: SignedProof
}

/** A newcomer at the lobby's or the invite's door. Refuses with the rule that stood in the way. */
export function decideAccess(bytes: Uint8Array, context: DecisionContext): Grant {
  return requireSigned(considerAccess(bytes, context))
}

/** The same but for the signature of the proof. */
export function considerAccess(bytes: Uint8Array, context: DecisionContext): Considered {
  const request = parseRequest(bytes)
  const { door } = context
  if (request.jwt !== undefined)
    throw new Refusal('ERR_REQUEST_ILLEGAL', 'illegal request: jwt belongs to a renewal')
  if (door === 'invite') {
    const ticketId = requireTicket(request, context)
    const role = requireRole(request, context)
    requireProof(request, context)
    return {
      grant: grant(request, { rule: door, role, ticketId }),
      signed: signedFor('access', request),
    }
  }
  if (request.ticket !== undefined || request.ticketSignature !== undefined)
    throw new Refusal('ERR_REQUEST_ILLEGAL', 'illegal request: a ticket belongs to an invite')
  const role = requireRole(request, context)
  requireProof(request, context)
  return { grant: grant(request, { rule: door, role }), signed: signedFor('access', request) }
}

export function signedFor(
  purpose: ProofPurpose,
  { proof, signature }: Pick<SignedProof, 'proof' | 'signature'>,
): SignedProof {
  return { proof, signature, purpose }
}

export function requireSigned({ grant, signed }: Considered): Grant {
  return requireGood(grant, isProofBy(grant.nkey, signed))
}

/** Has the signature verified by another thread. */
export async function requireSignedAsync({ grant, signed }: Considered): Promise<Grant> {
  return requireGood(grant, await isProofByAsync(grant.nkey, signed))
}

function requireGood(grant: Grant, isSigned: boolean): Grant {
  if (isSigned) return grant
  throw new Refusal('ERR_PROOF_WRONG', `proof is not signed by its nkey: ${grant.nkey}`)
}

/** The id of the ticket. */
function requireTicket(request: AccessRequest, context: DecisionContext): string {
  const { ticket: text, ticketSignature, proof, claims } = request
  if (text === undefined || ticketSignature === undefined)
    throw new Refusal('ERR_INVITE_MISSING', 'no invite: ticket and ticketSignature are needed here')
  const ticket = parseTicket(text, context.operator, context.nowMs / 1000)
  const { jti, sub, name, nats } = ticket.claims
  requireTicketAllowed(context.denyList, jti)
  const signature = { proof, signature: ticketSignature, purpose: 'invite' } as const
  if (!isProofBy(sub as Nkey<'user'>, signature))
    throw new Refusal('ERR_INVITE_PROOF_WRONG', `invite ${jti}: its key did not sign this request`)
  if (nats.role !== claims.role || name !== claims.name)
    throw new Refusal('ERR_INVITE_OTHER', `invite ${jti}: for another role or name: ${claims.role}`)
  return jti
}

export function requireRole(
  { claims }: { readonly claims: ParsedProof },
  context: DecisionContext,
): Role {
  const { archipelago, door } = context
  const role = archipelago.roles.find(({ name }) => name === claims.role)
  if (role === undefined)
    throw new Refusal('ERR_ROLE_UNKNOWN', `unknown role: ${quote(claims.role)}`)
  if (!role.doors.includes(door))
    throw new Refusal('ERR_ROLE_DOOR', `role ${role.name} is not given at this door: ${door}`)
  return role
}

/** All that is asked of a proof but its signature. */
export function requireProof(
  { claims }: { readonly claims: ParsedProof },
  { operator, door, denyList, nowMs }: DecisionContext,
): void {
  if (claims.audience !== operator.claims.sub || claims.door !== door)
    throw new Refusal('ERR_PROOF_AUDIENCE', `proof is not for this operator's door: ${door}`)
  if (Math.abs(nowMs - claims.time) > proofAgeSecondsMax * 1000)
    throw new Refusal(
      'ERR_PROOF_STALE',
      `proof says ${formatTime(claims.time)}, ${thisClock(nowMs)}: ${proofAgeSecondsMax} s apart at most`,
    )
  requireNkeyAllowed(denyList, claims.nkey)
  if (claims.name !== undefined) requireNameAllowed(denyList, claims.name)
}

/**
 * Life is counted from the time in the proof, so that a replayed request yields no later end than
 * the first did (DESIGN: no shared nonce store).
 */
export function grant(
  { proof, claims }: AccessRequest,
  granted: {
    rule: Grant['rule']
    role: Role
    ticketId?: string | undefined
    renewed?: Grant['renewed']
  },
): Grant {
  const { rule, role, ticketId, renewed } = granted
  const { name, nkey, curve, nonce, time } = claims
  const issuedAtSeconds = Math.floor(time / 1000)
  return {
    rule,
    role,
    name,
    nkey,
    curve,
    nonce,
    proof,
    ...(ticketId !== undefined && { ticketId }),
    ...(renewed !== undefined && { renewed }),
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + role.lifetimeSeconds,
  }
}
