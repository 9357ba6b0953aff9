// Who gets what: a pure decision over one request. It signs nothing; what it grants is signed by
// whoever holds the key of that role, and only that.
import type { Archipelago, Role } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import type { FunctionDoor } from '../network/access-subject.ts'
import type { AccountJwt } from '../trust/account.ts'
import { requireScope } from '../trust/chain.ts'
import { parseScopeName } from '../trust/declare.ts'
import type { DenyList } from '../trust/deny-list.ts'
import { parseTicket } from '../trust/invite.ts'
import type { Nkey } from '../trust/nkey.ts'
import type { OperatorJwt } from '../trust/operator.ts'
import { parseUser } from '../trust/user.ts'
import type { CurveKey } from './hpke.ts'
import { isProofBy } from './proof.ts'
import { parseRequest, type AccessRequest } from './request.ts'

/** How far a requestor's clock may be off, and so how long a request can be replayed. */
export const proofAgeSecondsMax = 60

/** What a function knows when it decides. */
export interface DecisionContext {
  readonly archipelago: Archipelago
  readonly operator: OperatorJwt
  readonly door: FunctionDoor
  readonly denyList: DenyList
  /** Of the roles' accounts, by public key: where a renewal's credential must come from. */
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
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** A newcomer at the lobby's or the invite's door. Refuses with the rule that stood in the way. */
export function decideAccess(bytes: Uint8Array, context: DecisionContext): Grant {
  const request = parseRequest(bytes)
  const { door } = context
  if (door === 'invite') {
    const ticket = requireTicket(request, context)
    const role = requireRole(request, context)
    requireProof(request, context)
    return grant(door, { request, role, ticketId: ticket.claims.jti })
  }
  const role = requireRole(request, context)
  requireProof(request, context)
  return grant(door, { request, role })
}

/**
 * Whoever has a credential gets the next one for the same key, name and role, over his own
 * connection: `connectionKey` is the nkey that his server reports (Nats-Request-Info).
 */
export function decideRenewal(
  bytes: Uint8Array,
  context: DecisionContext,
  connectionKey: string | undefined,
): Grant {
  const request = parseRequest(bytes)
  const { claims } = request
  if (connectionKey !== undefined && connectionKey !== claims.nkey)
    throw new Refusal(
      'ERR_PROOF_OTHER_KEY',
      `proof is for another key than the connection's: ${claims.nkey}`,
    )
  const current = requireCurrent(request, context)
  const role = requireRole(request, context)
  if (current.role !== role.name || current.name !== claims.name || current.door !== context.door)
    throw new Refusal(
      'ERR_RENEWAL_ILLEGAL',
      `renewal: not of this role, name and door: ${role.name}`,
    )
  requireTicketAllowed(current.ticketId, context)
  requireProof(request, context)
  return grant('renewal', { request, role, ticketId: current.ticketId })
}

function requireTicket(request: AccessRequest, { operator, denyList, nowMs }: DecisionContext) {
  const { ticket: text, ticketSignature, proof, claims } = request
  if (text === undefined || ticketSignature === undefined)
    throw new Refusal('ERR_INVITE_MISSING', 'no invite: ticket and ticketSignature are needed here')
  const ticket = parseTicket(text, operator, nowMs / 1000)
  const { jti, sub, name, nats } = ticket.claims
  requireTicketAllowed(jti, { denyList })
  const signature = { proof, signature: ticketSignature, purpose: 'invite' } as const
  if (!isProofBy(sub as Nkey<'user'>, signature))
    throw new Refusal('ERR_INVITE_PROOF_WRONG', `invite ${jti}: its key did not sign this request`)
  if (nats.role !== claims.role || name !== claims.name)
    throw new Refusal('ERR_INVITE_OTHER', `invite ${jti}: for another role or name: ${claims.role}`)
  return ticket
}

function requireTicketAllowed(
  id: string | undefined,
  { denyList }: Pick<DecisionContext, 'denyList'>,
): void {
  if (id !== undefined && denyList.claims.nats.tickets.includes(id))
    throw new Refusal('ERR_INVITE_DENIED', `invite ${id}: denied`)
}

function requireRole({ claims }: AccessRequest, { archipelago, door }: DecisionContext): Role {
  const role = archipelago.roles.find(({ name }) => name === claims.role)
  if (role === undefined)
    throw new Refusal('ERR_ROLE_UNKNOWN', `unknown role: '${claims.role.slice(0, 32)}'`)
  if (!role.doors.includes(door))
    throw new Refusal('ERR_ROLE_DOOR', `role ${role.name} is not given at this door: ${door}`)
  return role
}

/** The cheap rules first: a signature costs more than all others together. */
function requireProof(request: AccessRequest, context: DecisionContext): void {
  const { claims, proof, signature } = request
  const { operator, door, denyList, nowMs } = context
  if (claims.audience !== operator.claims.sub || claims.door !== door)
    throw new Refusal('ERR_PROOF_AUDIENCE', `proof is not for this operator's door: ${door}`)
  const ageSeconds = Math.round((nowMs - claims.time) / 1000)
  if (Math.abs(ageSeconds) > proofAgeSecondsMax)
    throw new Refusal(
      'ERR_PROOF_STALE',
      `proof is ${ageSeconds} s old by this clock, ${proofAgeSecondsMax} at most`,
    )
  if (denyList.claims.nats.nkeys.includes(claims.nkey))
    throw new Refusal('ERR_NKEY_DENIED', `nkey is denied: ${claims.nkey}`)
  if (denyList.claims.nats.names.includes(claims.name))
    throw new Refusal('ERR_NAME_DENIED', `name is denied: ${JSON.stringify(claims.name)}`)
  if (!isProofBy(claims.nkey, { proof, signature, purpose: 'access' }))
    throw new Refusal('ERR_PROOF_WRONG', `proof is not signed by its nkey: ${claims.nkey}`)
}

/** The credential that is renewed: signed by one of our keys for a role, and still alive. */
function requireCurrent({ jwt, claims }: AccessRequest, { accounts, nowMs }: DecisionContext) {
  if (jwt === undefined)
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the current credential is missing')
  const user = readCurrent(jwt)
  const { sub, exp, name, nats } = user.claims
  if (sub !== claims.nkey)
    throw new Refusal(
      'ERR_PROOF_OTHER_KEY',
      `proof is for another key than the credential's: ${sub}`,
    )
  const account = accounts.get(nats.issuer_account)
  if (account === undefined)
    throw new Refusal('ERR_RENEWAL_ILLEGAL', `renewal: unknown account: ${nats.issuer_account}`)
  const scope = parseScopeName(scopeOf(user, account).role)
  if (exp === undefined || exp <= nowMs / 1000)
    throw new Refusal('ERR_RENEWAL_EXPIRED', `renewal: the credential of ${sub} is over`)
  const ticket = nats.tags?.find((tag) => tag.startsWith(ticketTag))
  const ticketId = ticket?.slice(ticketTag.length).toUpperCase()
  return { role: scope?.role, door: scope?.door, name, ticketId }
}

/** NATS tags are lower case; ticket ids are base32, so nothing is lost. */
export const ticketTag = 'ticket:'

function readCurrent(jwt: string) {
  try {
    return parseUser(jwt)
  } catch (cause) {
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the credential is not a user JWT', { cause })
  }
}

function scopeOf(user: ReturnType<typeof parseUser>, account: AccountJwt) {
  try {
    return requireScope(user, account)
  } catch (cause) {
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the credential is not ours', { cause })
  }
}

/**
 * Life is counted from the time in the proof, so that a replayed request yields no later end than
 * the first did (DESIGN: no shared nonce store).
 */
function grant(
  rule: Grant['rule'],
  {
    request,
    role,
    ticketId,
  }: { request: AccessRequest; role: Role; ticketId?: string | undefined },
): Grant {
  const { name, nkey, curve, nonce, time } = request.claims
  const issuedAtSeconds = Math.floor(time / 1000)
  return {
    rule,
    role,
    name,
    nkey,
    curve,
    nonce,
    proof: request.proof,
    ...(ticketId !== undefined && { ticketId }),
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + role.lifetimeSeconds,
  }
}
