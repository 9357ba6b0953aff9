import type { PermissionTemplate, SubjectLists } from '../trust/account.ts'

/** What a ceiling allows more or less than before, as in `publish +a.b -c.*`; empty for the same. */
export function describeCeilingChange(old: PermissionTemplate, now: PermissionTemplate): string[] {
  return [
    ...compareLists('publish', old.pub, now.pub),
    ...compareLists('subscribe', old.sub, now.sub),
    ...compareNumbers('subscriptions', old.subs, now.subs),
    ...compareNumbers('payload bytes', old.payload, now.payload),
    ...compareNumbers('data bytes', old.data, now.data),
    ...compareSets('connection types', old.allowed_connection_types, now.allowed_connection_types),
  ]
}

function compareLists(what: string, old: SubjectLists, now: SubjectLists): string[] {
  return [
    ...compareSets(what, old.allow, now.allow),
    ...compareSets(`${what} never`, old.deny, now.deny),
  ]
}

function compareSets(
  what: string,
  old: readonly string[] = [],
  now: readonly string[] = [],
): string[] {
  const added = now.filter((each) => !old.includes(each)).map((each) => `+${each}`)
  const gone = old.filter((each) => !now.includes(each)).map((each) => `-${each}`)
  const changes = [...added, ...gone]
  return changes.length === 0 ? [] : [`${what} ${changes.join(' ')}`]
}

function compareNumbers(what: string, old: number, now: number): string[] {
  return old === now ? [] : [`${what} ${formatLimit(old)} → ${formatLimit(now)}`]
}

/** For NATS -1 is no limit. */
export const formatLimit = (limit: number) => (limit === -1 ? 'unlimited' : String(limit))
