// Hands the deny list to every function of every region, and finds out who holds it.
import { NoRespondersError, TimeoutError, type NatsConnection } from '@nats-io/nats-core'
import { setTimeout as delay } from 'node:timers/promises'
import { serviceName } from '../core/network/access-subject.ts'
import { denyListState, type DenyList } from '../core/trust/deny-list.ts'
import { askFunctionStates, type FunctionState } from './function-states.ts'

export interface ExpectedFunction {
  readonly region: string
  readonly door: string
}

export interface DenyListHolder extends FunctionState {
  readonly isCurrent: boolean
}

export interface DenyListPush {
  readonly sequence: number
  readonly digest: string
  readonly holders: readonly DenyListHolder[]
  /** Expected or announced functions that did not answer. */
  readonly missing: readonly string[]
  readonly isDone: boolean
}

const pauseMs = 100

/**
 * As the access operator, again and again until every function shows the list (as it then is) or the
 * deadline is over: at least one for each expected door, and each that announces itself as a service.
 */
export async function pushDenyList(
  connection: NatsConnection,
  {
    list,
    expected,
    deadlineMs = 3_000,
  }: { list: () => DenyList; expected: readonly ExpectedFunction[]; deadlineMs?: number },
): Promise<DenyListPush> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const push = await pushOnce(connection, list(), expected)
    if (push.isDone || performance.now() > deadline) return push
    await delay(pauseMs)
  }
}

async function pushOnce(
  connection: NatsConnection,
  list: DenyList,
  expected: readonly ExpectedFunction[],
): Promise<DenyListPush> {
  const announced = await findFunctions(connection)
  const patience = { denyList: list.text, expected: Math.max(expected.length, announced.length) }
  const states = await askFunctionStates(connection, patience)
  const { sequence, digest } = denyListState(list)
  const holders = states.map((state) => ({ ...state, isCurrent: state.digest === digest }))
  const missing = findMissing(states, { expected, announced })
  const isDone = missing.length === 0 && holders.every(({ isCurrent }) => isCurrent)
  return { sequence, digest, holders, missing, isDone }
}

interface Announced extends ExpectedFunction {
  readonly nkey: string
}

/** Who answers as the service that issues credentials; several replicas may share a key. */
async function findFunctions(connection: NatsConnection): Promise<Announced[]> {
  const announced: Announced[] = []
  try {
    const answers = await connection.requestMany(`$SRV.PING.${serviceName}`, '', {
      strategy: 'stall',
      stall: 200,
      maxWait: 2_000,
    })
    for await (const answer of answers) {
      const { metadata } = answer.json<{ metadata: Announced }>()
      announced.push(metadata)
    }
  } catch (error) {
    if (!(error instanceof NoRespondersError || error instanceof TimeoutError)) throw error
  }
  return announced
}

function findMissing(
  states: readonly FunctionState[],
  {
    expected,
    announced,
  }: { expected: readonly ExpectedFunction[]; announced: readonly Announced[] },
): string[] {
  const closed = expected
    .filter(({ region, door }) => !states.some((one) => one.region === region && one.door === door))
    .map(({ region, door }) => `${region}-${door}`)
  const count = (list: readonly { nkey: string }[], key: string): number =>
    list.filter(({ nkey }) => nkey === key).length
  const silent = announced
    .filter(({ nkey }) => count(states, nkey) < count(announced, nkey))
    .map(({ region, door, nkey }) => `${region}-${door} (${nkey})`)
  return [...new Set([...closed, ...silent])]
}
