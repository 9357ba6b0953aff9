// Whoever has a credential gets the next one for the same key, name and role, over his own connection.
import { Refusal } from '../errors.ts'
import type { AccountJwt } from '../trust/account.ts'
import { requireScope } from '../trust/chain.ts'
import { parseScopeName } from '../trust/declare.ts'
import { parseUser, type UserJwt } from '../trust/user.ts'
import { formatTime, thisClock } from '../time.ts'
import {
  grant,
  requireProof,
  requireRole,
  requireSigned,
  signedFor,
  type Considered,
  type DecisionContext,
  type Grant,
} from './decision.ts'
import { requireNotWithdrawn, requireTicketAllowed } from './denial.ts'
import { parseRequest, type AccessRequest } from './request.ts'

/** NATS tags are lower case; ticket ids are base32, so nothing is lost. */
const ticketTag = 'ticket:'

export function ticketTags(ticketId: string | undefined): string[] | undefined {
  return ticketId === undefined ? undefined : [`${ticketTag}${ticketId.toLowerCase()}`]
}

/**
 * Refuses a credential that is not ours, over, revoked, of a role that lost this door, or of an
 * invite that was denied since. `connectionKey` is the nkey of the connection by the word of the
 * requestor's server; a request without it came by no connection of a member's.
 */
export function decideRenewal(
  bytes: Uint8Array,
  context: DecisionContext,
  connectionKey: string | undefined,
): Grant {
  return requireSigned(considerRenewal(bytes, context, connectionKey))
}

/** The same but for the signature of the proof. */
export function considerRenewal(
  bytes: Uint8Array,
  context: DecisionContext,
  connectionKey: string | undefined,
): Considered {
  const request = parseRequest(bytes)
  const { nkey, name } = request.claims
  if (connectionKey !== nkey)
    throw new Refusal(
      'ERR_PROOF_OTHER_KEY',
      `proof is for another key than the connection's: ${nkey}`,
    )
  const current = requireCurrent(request, context)
  const role = requireRole(request, context)
  const isSame =
    current.role === role.name &&
    current.account === role.account &&
    current.door === context.door &&
    current.name === name
  if (!isSame)
    throw new Refusal(
      'ERR_RENEWAL_ILLEGAL',
      `renewal: the credential is not of this role, name and door: ${role.name}`,
    )
  requireProof(request, context)
  const { ticketId, renewed } = current
  const granted = grant(request, { rule: 'renewal', role, ticketId, renewed })
  return { grant: granted, signed: signedFor('renewal', request) }
}

interface Current {
  readonly role: string | undefined
  readonly door: string | undefined
  readonly account: string | undefined
  readonly name: string | undefined
  readonly ticketId: string | undefined
  readonly renewed: { readonly id: string; readonly issuer: string }
}

/** The credential that is renewed: signed by one of our keys for a role, alive, not withdrawn. */
function requireCurrent(request: AccessRequest, context: DecisionContext): Current {
  const { accounts, denyList, nowMs } = context
  const user = requireOwn(request)
  const { jti, iss, sub, exp, name, nats } = user.claims
  const account = accounts.get(nats.issuer_account)
  if (account === undefined)
    throw new Refusal('ERR_RENEWAL_ILLEGAL', `renewal: unknown account: ${nats.issuer_account}`)
  const scope = parseScopeName(requireOurs(user, account))
  requireLeft({ sub, exp }, nowMs)
  requireUnrevoked(user, account)
  const ticketId = ticketIdOf(user)
  if (scope?.door === 'invite' && ticketId === undefined)
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the credential names no invite')
  requireTicketAllowed(denyList, ticketId)
  requireNotWithdrawn(denyList, name)
  return {
    role: scope?.role,
    door: scope?.door,
    account: account.claims.name,
    name,
    ticketId,
    renewed: { id: jti, issuer: iss },
  }
}

function requireLeft({ sub, exp }: { sub: string; exp: number | undefined }, nowMs: number): void {
  const whose = `renewal: the credential of ${sub}`
  if (exp === undefined) throw new Refusal('ERR_RENEWAL_EXPIRED', `${whose} has no end`)
  if (exp * 1000 > nowMs) return
  const times = `ended ${formatTime(exp * 1000)}, ${thisClock(nowMs)}`
  throw new Refusal('ERR_RENEWAL_EXPIRED', `${whose} ${times}`)
}

function requireOwn({ jwt, claims }: AccessRequest): UserJwt {
  if (jwt === undefined)
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the current credential is missing')
  const user = readUser(jwt)
  if (user.claims.sub === claims.nkey) return user
  throw new Refusal(
    'ERR_PROOF_OTHER_KEY',
    `proof is for another key than the credential's: ${claims.nkey}`,
  )
}

function readUser(jwt: string): UserJwt {
  try {
    return parseUser(jwt)
  } catch (cause) {
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the credential is not a user JWT', { cause })
  }
}

/** The name of the ceiling under which it was signed. */
function requireOurs(user: UserJwt, account: AccountJwt): string {
  try {
    return requireScope(user, account).role
  } catch (cause) {
    throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: the credential is not ours', { cause })
  }
}

/** As nats-server judges it: by the key or, with `*`, by the time alone. */
function requireUnrevoked({ claims }: UserJwt, account: AccountJwt): void {
  const { revocations } = account.claims.nats
  const times = [revocations[claims.sub], revocations['*']]
  if (times.some((time) => time !== undefined && claims.iat <= time))
    throw new Refusal('ERR_NKEY_DENIED', `renewal: the credential of ${claims.sub} is revoked`)
}

function ticketIdOf({ claims }: UserJwt): string | undefined {
  const tags: unknown = claims.nats.tags
  if (!Array.isArray(tags)) return undefined
  const tag = tags.find((each) => typeof each === 'string' && each.startsWith(ticketTag))
  return (tag as string | undefined)?.slice(ticketTag.length).toUpperCase()
}
