// Who vouches for workloads, and which of them come to a role: functions go by it as soon as it is signed.
import type { Archipelago, IdentityEntry, Issuer } from '../archipelago.ts'
import type { PlanLine } from './line.ts'

type Identities = Pick<Archipelago, 'issuers' | 'roles'>

/** Roles that come or go have no line here, for their keys have one. */
export function planIdentities(before: Identities, after: Identities): PlanLine[] {
  const roles = after.roles.flatMap((role) => {
    const old = before.roles.find(({ name }) => name === role.name)
    return old === undefined ? [] : planRole(old, role)
  })
  return [...planIssuers(before, after), ...roles]
}

/** What an older release signed knows of none. */
const issuersOf = ({ issuers }: Partial<Identities>): readonly Issuer[] => issuers ?? []

function planIssuers(before: Identities, after: Identities): PlanLine[] {
  const [old, now] = [issuersOf(before), issuersOf(after)]
  const gone = old.filter(({ name }) => !now.some((issuer) => issuer.name === name))
  return [
    ...gone.map((issuer) => line(`issuer ${issuer.name}`, 'its tokens are exchanged no more')),
    ...now.flatMap((issuer) => {
      const known = old.find(({ name }) => name === issuer.name)
      return known === undefined ? [newIssuer(issuer)] : changedIssuer(known, issuer)
    }),
  ]
}

const newIssuer = (issuer: Issuer): PlanLine =>
  line(`issuer ${issuer.name}`, `is believed in ${issuer.regions.join(', ')}, ${keysOf(issuer)}`)

function changedIssuer(old: Issuer, now: Issuer): PlanLine[] {
  if (JSON.stringify(old) === JSON.stringify(now)) return []
  const what = `is believed as ${now.issuer} in ${now.regions.join(', ')}, ${keysOf(now)}`
  return [line(`issuer ${now.name}`, what)]
}

const keysOf = ({ keys }: Issuer) => `by its keys ${keys.map(({ kid }) => kid).join(', ')}`

function planRole(
  old: { readonly identity?: readonly IdentityEntry[] },
  { name, identity }: { readonly name: string; readonly identity: readonly IdentityEntry[] },
): PlanLine[] {
  const [before, after] = [(old.identity ?? []).map(format), identity.map(format)]
  const gone = before.filter((entry) => !after.includes(entry))
  const come = after.filter((entry) => !before.includes(entry))
  return [
    ...gone.map((who) => line(`role ${name}`, `gives no next credential to ${who}`)),
    ...come.map((who) => line(`role ${name}`, `is given to ${who}`)),
  ]
}

function format({ issuer, subject, audience, spiffeId }: IdentityEntry): string {
  if (spiffeId !== undefined) return spiffeId
  const fixed = audience === undefined ? '' : `, also by any token for ${audience}`
  return `${issuer}|${subject}${fixed}`
}

const line = (subject: string, reason: string): PlanLine => ({
  effect: 'next-renewal',
  subjects: [subject],
  reason,
})
