// What nats-server does when an account's JWT is replaced by another one (accounts.go,
// updateAccountClaimsWithRefresh in 2.15): which connections it closes, and which of them come back.
import type { AccountBody, AccountLimits, ScopedKey } from '../trust/account.ts'
import { describeCeilingChange, formatLimit } from './ceilings.ts'
import { joinLines, type PlanLine } from './line.ts'

/** By account name. */
export type AccountBodies = ReadonlyMap<string, AccountBody>

/** Accounts that stay the same have no line. What is withdrawn for good asks. */
export function planAccounts(before: AccountBodies, after: AccountBodies): PlanLine[] {
  return [...after].flatMap(([name, body]) => planAccount(name, before.get(name), body))
}

function planAccount(name: string, old: AccountBody | undefined, now: AccountBody): PlanLine[] {
  const subjects = [`account ${name}`]
  if (old === undefined) return [{ effect: 'resign', subjects, reason: 'is new' }]
  if (isSame(old, now)) return []
  if (isClosed(now)) return closedAccount(subjects)
  const keys = compareKeys(old.signing_keys, now.signing_keys)
  const reason = summarize(old, now, keys).join('; ')
  return [
    { effect: 'resign', subjects, reason },
    ...joinLines([...keys.withdrawn.map(withdrawnKey), ...keys.changed.map(changedCeiling)]),
    ...fewerConnections(name, old.limits, now.limits),
  ]
}

const isClosed = ({ signing_keys, limits }: AccountBody) =>
  signing_keys.length === 0 && limits.conn === 0

function closedAccount(subjects: readonly string[]): PlanLine[] {
  const reason = 'is not in archipelago.yaml any more: everybody in it is cut off for good'
  return [
    { effect: 'resign', subjects, reason: 'is closed' },
    { effect: 'disconnect', subjects, reason, asks: true },
  ]
}

interface KeyChanges {
  readonly added: readonly ScopedKey[]
  readonly withdrawn: readonly (ScopedKey & { readonly isReplaced: boolean })[]
  readonly changed: readonly { readonly old: ScopedKey; readonly now: ScopedKey }[]
}

function compareKeys(before: readonly ScopedKey[], after: readonly ScopedKey[]): KeyChanges {
  const [old, now] = [byKey(before), byKey(after)]
  const names = new Set(after.map(({ role }) => role))
  return {
    added: after.filter(({ key }) => !old.has(key)),
    withdrawn: before
      .filter(({ key }) => !now.has(key))
      .map((scope) => ({ ...scope, isReplaced: names.has(scope.role) })),
    changed: before.flatMap((scope) => {
      const next = now.get(scope.key)
      return next === undefined || isSame(scope, next) ? [] : [{ old: scope, now: next }]
    }),
  }
}

const byKey = (scopes: readonly ScopedKey[]) => new Map(scopes.map((scope) => [scope.key, scope]))

function withdrawnKey({ role, isReplaced }: ScopedKey & { isReplaced: boolean }): PlanLine {
  const line = { effect: 'disconnect', subjects: [role] } as const
  if (isReplaced)
    return { ...line, reason: 'its key is replaced: cut off until it has another credential' }
  return { ...line, reason: 'its key is withdrawn: cut off for good', asks: true }
}

/** Any difference in a scope closes the connections of its key; their credentials stay good. */
function changedCeiling({ old, now }: { old: ScopedKey; now: ScopedKey }): PlanLine {
  const changes = describeCeilingChange(old.template, now.template).join(', ')
  const what = withoutRegion(changes, old.role)
  return {
    effect: 'disconnect',
    subjects: [old.role],
    reason: `its ceiling changes (${what || 'in its name'}): closed, and back with the same credential`,
  }
}

/** The same change in every region is told once: the name of a scope ends in its region. */
function withoutRegion(text: string, scope: string): string {
  const at = scope.lastIndexOf('.')
  return at < 0 ? text : text.replaceAll(scope.slice(at), '.<region>')
}

/** Limits of leafnodes, payload and subscriptions close nobody. */
function fewerConnections(name: string, old: AccountLimits, now: AccountLimits): PlanLine[] {
  const isFewer = now.conn !== -1 && (old.conn === -1 || now.conn < old.conn)
  if (!isFewer) return []
  const reason = `every server closes its newest connections over ${now.conn}`
  return [{ effect: 'disconnect', subjects: [`account ${name}`], reason }]
}

function summarize(old: AccountBody, now: AccountBody, keys: KeyChanges): string[] {
  const { added, withdrawn, changed } = keys
  const other = (['imports', 'exports', 'revocations'] as const).filter(
    (part) => !isSame(old[part], now[part]),
  )
  return [
    ...listed('keys added', added),
    ...listed('keys withdrawn', withdrawn),
    ...listed(
      'ceilings changed',
      changed.map((each) => each.now),
    ),
    ...compareLimits(old.limits, now.limits),
    ...other.map((part) => `${part} changed`),
  ]
}

function listed(what: string, scopes: readonly ScopedKey[]): string[] {
  const names = [...new Set(scopes.map(({ role }) => role))]
  return names.length === 0 ? [] : [`${what}: ${names.join(', ')}`]
}

const limitNames = {
  conn: 'connections',
  leaf: 'leafnodes',
  subs: 'subscriptions',
  payload: 'payload bytes',
  data: 'data bytes',
} as const

function compareLimits(old: AccountLimits, now: AccountLimits): string[] {
  const named = Object.entries(limitNames) as [keyof typeof limitNames, string][]
  return named
    .filter(([limit]) => old[limit] !== now[limit])
    .map(([limit, name]) => `${name} ${formatLimit(old[limit])} → ${formatLimit(now[limit])}`)
}

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b)
