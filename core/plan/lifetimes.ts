// Lives of credentials stand in no artifact: whoever issues the next one reads them.
import type { Archipelago } from '../archipelago.ts'
import type { PlanLine } from './line.ts'

type Lives = Pick<Archipelago, 'roles' | 'leafnode' | 'lobby'> &
  Partial<Pick<Archipelago, 'identity'>>

/** Roles that come or go have no line here. */
export function planLifetimes(before: Lives, after: Lives): PlanLine[] {
  return [
    ...after.roles.flatMap(({ name, lifetimeSeconds }) => {
      const old = before.roles.find((role) => role.name === name)?.lifetimeSeconds
      return old === undefined ? [] : changedLife(`role ${name}`, old, lifetimeSeconds)
    }),
    ...changedLife('leafnodes', before.leafnode.lifetimeSeconds, after.leafnode.lifetimeSeconds),
    ...changedLeaves(before.identity, after.identity),
    ...changedLobby(before.lobby.connectionSecondsMax, after.lobby.connectionSecondsMax),
  ]
}

function changedLife(subject: string, old: number, now: number): PlanLine[] {
  if (old === now) return []
  const reason = `a credential lives ${now} s instead of ${old} s`
  const line: PlanLine = { effect: 'next-renewal', subjects: [subject], reason }
  return now < old ? [line, outlived(subject)] : [line]
}

/** The watcher cannot tell a credential of before from one signed for longer by a thief of the key. */
const outlived = (subject: string): PlanLine => ({
  effect: 'disconnect',
  subjects: [subject],
  reason: 'the watcher closes connections whose credential lives longer, until it is renewed',
})

/** What was applied before certificates had a lifetime says nothing of it. */
function changedLeaves(before: Lives['identity'], after: Lives['identity']): PlanLine[] {
  const [old, now] = [before?.leafLifetimeSeconds, after?.leafLifetimeSeconds]
  if (old === undefined || old === now) return []
  const reason = `a certificate lives ${now} s instead of ${old} s`
  return [{ effect: 'next-renewal', subjects: ['certificates'], reason }]
}

function changedLobby(old: number, now: number): PlanLine[] {
  if (old === now) return []
  const reason = `the watcher closes connections older than ${now} s instead of ${old} s`
  return [{ effect: 'disconnect', subjects: ['the lobby'], reason }]
}
