// What may be pushed to the servers. They store whatever the system account hands them: an account of a
// foreign operator, an older one, and one that opens everything are all answered with 200.
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import type { AccountBody, AccountJwt, ScopedKey, SubjectLists } from './account.ts'
import { decodeJwt } from './jwt.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'

/** As much as may be missing in an account JWT, in the words of nats-io/jwt; a bare key has no ceiling. */
interface PushedBody {
  readonly limits?: Partial<AccountBody['limits']>
  readonly signing_keys?: readonly (PushedKey | string)[]
  readonly default_permissions?: { readonly pub?: SubjectLists; readonly sub?: SubjectLists }
}
interface PushedKey extends Pick<ScopedKey, 'role'> {
  readonly template?: Partial<ScopedKey['template']>
}

/** How an account JWT that a server holds compares to the one that it should hold. */
export type AccountDrift = 'same' | 'older' | 'same-second' | 'newer' | 'foreign'

/**
 * An account JWT that may be pushed: signed by one of this operator's signing keys, closed, and newer
 * than what the servers hold of it; the same bytes are fine. Refuses all others, each by its rule.
 */
export function requirePushable(
  text: string,
  { operator, held }: { operator: OperatorJwt; held: readonly string[] },
): AccountJwt {
  const account = decodeJwt<AccountBody>('account', text)
  requireOurs(account, operator)
  requireClosed(account)
  for (const other of held) requireForward(account, other, operator)
  return account
}

/** What a server holds, seen from what is declared. Never throws. */
export function compareAccount(
  declared: AccountJwt,
  held: string,
  operator: OperatorJwt,
): { readonly drift: AccountDrift; readonly iat: number | undefined } {
  if (held === declared.text) return { drift: 'same', iat: declared.claims.iat }
  const account = decodeOrNothing(held)
  const iat = account?.claims.iat
  const isOurs =
    account !== undefined &&
    isSignedByOperator(account, operator) &&
    account.claims.sub === declared.claims.sub
  if (!isOurs || iat === undefined) return { drift: 'foreign', iat }
  if (iat === declared.claims.iat) return { drift: 'same-second', iat }
  return { drift: iat < declared.claims.iat ? 'older' : 'newer', iat }
}

/** What would stand open if this account ran, one line each; none for a closed account. */
export function listOpenings({ claims }: AccountJwt): string[] {
  const body: PushedBody = claims.nats
  const { limits, signing_keys: keys = [], default_permissions: defaults } = body
  const ofDefaults = defaults === undefined ? [] : listOpenLists('default_permissions', defaults)
  const isBacked = defaults !== undefined && ofDefaults.length === 0
  return [
    ...(limits?.disallow_bearer ? [] : ['disallow_bearer is off']),
    ...ofDefaults,
    ...keys.flatMap((key) => listOpenKey(key, isBacked)),
  ]
}

function requireOurs(account: AccountJwt, operator: OperatorJwt): void {
  if (isSignedByOperator(account, operator)) return
  const { iss, sub } = account.claims
  throw new Refusal('ERR_ACCOUNT_FOREIGN', `account ${sub}: signed by a foreign operator: ${iss}`)
}

function requireClosed(account: AccountJwt): void {
  const openings = listOpenings(account)
  if (openings.length === 0) return
  throw new Refusal(
    'ERR_ACCOUNT_OPENS_ALL',
    `account ${account.claims.name}: would stand open: ${openings.join('; ')}`,
  )
}

/** A foreign account on a server is no reason to leave it there. */
function requireForward(account: AccountJwt, held: string, operator: OperatorJwt): void {
  const { drift, iat } = compareAccount(account, held, operator)
  if (drift === 'same' || drift === 'older' || drift === 'foreign') return
  throw new Refusal(
    'ERR_ACCOUNT_OLDER',
    `account ${account.claims.name}: issued at ${account.claims.iat}, a server holds another of ${iat}`,
  )
}

function decodeOrNothing(text: string): AccountJwt | undefined {
  try {
    return decodeJwt<AccountBody>('account', text)
  } catch {
    return undefined
  }
}

/** With closed default permissions behind it, a ceiling may be wholly empty: then they apply. */
function listOpenKey(key: PushedKey | string, isBacked: boolean): string[] {
  if (typeof key === 'string') return [`signing key without a ceiling: ${key}`]
  const what = `ceiling of ${key.role}`
  const { pub, sub, allowed_connection_types: types = [] } = key.template ?? {}
  if (isBacked && isEmpty(pub) && isEmpty(sub)) return []
  const open = listOpenLists(what, { pub, sub })
  return types.length > 0 ? open : [...open, `${what}: every type of connection`]
}

function listOpenLists(
  what: string,
  { pub, sub }: { pub?: SubjectLists | undefined; sub?: SubjectLists | undefined },
): string[] {
  return [...listOpenSubjects(`${what}: pub`, pub), ...listOpenSubjects(`${what}: sub`, sub)]
}

/** To nats-server an empty list of allowed subjects, or none, allows all. */
function listOpenSubjects(what: string, { allow = [], deny = [] }: SubjectLists = {}): string[] {
  if (deny.includes('>')) return []
  if (allow.length === 0) return [`${what}.allow is empty`]
  return allow
    .filter((subject) => isOpen(subject))
    .map((subject) => `${what}.allow holds ${quote(subject)}`)
}

/** Nothing but wildcards, or as wide as a thief of the signing key likes: he chooses names and tags. */
function isOpen(subject: string): boolean {
  const operations = subject.match(/\{\{.*?\}\}/g) ?? []
  return /^(\*\.)*[*>]$/.test(subject) || operations.some((each) => each !== '{{subject()}}')
}

const isEmpty = ({ allow = [], deny = [] }: SubjectLists = {}) =>
  allow.length === 0 && deny.length === 0
