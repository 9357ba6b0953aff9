// Deny lists as the functions hold them; a function that is behind gets the declared one.
import type { NatsConnection } from '@nats-io/nats-core'
import type { Archipelago } from '../core/archipelago.ts'
import { expectedFunctions } from '../core/network/expected.ts'
import type { WatchFinding } from '../core/network/watch-finding.ts'
import { denyListState } from '../core/trust/deny-list.ts'
import type { DeclaredState } from '../core/trust/declared-state.ts'
import { askFunctionStates, type FunctionState } from './function-states.ts'

/** What was declared when it was looked at last. */
export interface SeenDenyList {
  digest?: string
}

/** One finding for each function that is missing, behind or ahead. */
export async function watchFunctions(
  connection: NatsConnection,
  { archipelago, state }: { archipelago: Archipelago; state: DeclaredState },
  seen: SeenDenyList,
): Promise<WatchFinding[]> {
  const expected = expectedFunctions(archipelago, state.read().denyList.claims.nats.identities)
  const states = await askFunctionStates(connection, { expected: expected.length, stallMs: 500 })
  const list = state.read().denyList
  const { sequence, digest } = denyListState(list)
  const isNew = seen.digest !== undefined && seen.digest !== digest
  seen.digest = digest
  const behind = states.filter((held) => held.sequence < sequence)
  const ahead = states.filter((held) => held.sequence >= sequence && held.digest !== digest)
  if (behind.length > 0)
    await askFunctionStates(connection, { denyList: list.text, expected: states.length })
  return [
    ...expected.filter((place) => !states.some(isAt(place))).map(missing),
    ...(isNew ? [] : behind.map((held) => outdated(held, sequence))),
    ...(isNew ? [] : ahead.map((held) => overtaking(held, sequence))),
  ]
}

interface Place {
  readonly region: string
  readonly door: string
}

const isAt = (place: Place) => (held: FunctionState) =>
  held.region === place.region && held.door === place.door

const nameOf = ({ region, door }: Place) => `${region}-${door}`

function missing(place: Place): WatchFinding {
  const subject = nameOf(place)
  const message = `function ${subject}: no answer`
  return { code: 'function-missing', subject, message, measure: 'none' }
}

function outdated(held: FunctionState, sequence: number): WatchFinding {
  const subject = nameOf(held)
  const message = `function ${subject}: holds deny list ${held.sequence}, declared is ${sequence}`
  return { code: 'function-behind', subject, message, measure: 'pushed' }
}

function overtaking(held: FunctionState, sequence: number): WatchFinding {
  const subject = nameOf(held)
  const message = `function ${subject}: holds a deny list ${held.sequence} that is not declared here (${sequence})`
  return { code: 'function-ahead', subject, message, measure: 'none' }
}
