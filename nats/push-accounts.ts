// Pushes account JWTs to every server of the supercluster, and finds out what came of it.
import type { NatsConnection } from '@nats-io/nats-core'
import type { AccountJwt } from '../core/trust/account.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import { requirePushable } from '../core/trust/push-rules.ts'
import {
  findServers,
  readAccountState,
  type AccountState,
  type LiveServer,
} from './account-state.ts'
import { updateAccount, type AccountUpdate } from './claims.ts'

export interface Push {
  readonly operator: OperatorJwt
  /** The bytes that the declarative state holds. */
  readonly accounts: readonly string[]
  readonly expectedServers: readonly string[]
}

/**
 * `updated` runs it, `not-loaded` holds it (a full resolver) and will run it when somebody needs it; `different` runs
 * something else after the push, `refused` did not take it, `missing` did not answer.
 */
export type PushedServerState = 'updated' | 'not-loaded' | 'different' | 'refused' | 'missing'

export interface PushedServer {
  readonly server: string
  readonly state: PushedServerState
  readonly reason?: string
}

export interface AccountPush {
  readonly account: string
  readonly publicKey: string
  readonly iat: number
  readonly servers: readonly PushedServer[]
  /** How many resolvers hold these bytes, and how many something else. */
  readonly resolvers: { readonly same: number; readonly other: number }
  /** Servers that nobody expects, or that answer by a name that another has. */
  readonly strangers: readonly string[]
  /** Every expected server holds these bytes, and nobody holds others. */
  readonly isDone: boolean
}

/**
 * As a pusher: refuses by the rules of core/trust/push-rules.ts before any of it is sent; then counts
 * answers by server and compares what runs. Never throws for a server that fails: it is named.
 */
export async function pushAccounts(
  connection: NatsConnection,
  { operator, accounts, expectedServers }: Push,
): Promise<AccountPush[]> {
  const servers = await findServers(connection, expectedServers)
  const checked: AccountJwt[] = []
  for (const text of accounts)
    checked.push(await requireFits(connection, text, { operator, servers }))
  const pushes: AccountPush[] = []
  for (const account of checked)
    pushes.push(await pushAccount(connection, account, { servers, expectedServers }))
  return pushes
}

async function requireFits(
  connection: NatsConnection,
  text: string,
  { operator, servers }: { operator: OperatorJwt; servers: readonly LiveServer[] },
): Promise<AccountJwt> {
  const { claims } = requirePushable(text, { operator, held: [] })
  const { running, stored } = await readAccountState(connection, claims.sub, { servers })
  return requirePushable(text, { operator, held: [...running.values(), ...stored] })
}

async function pushAccount(
  connection: NatsConnection,
  { text, claims }: AccountJwt,
  {
    servers,
    expectedServers,
  }: { servers: readonly LiveServer[]; expectedServers: readonly string[] },
): Promise<AccountPush> {
  const patience = { expected: servers.length, stallMs: 1_000 }
  const updates = await updateAccount(connection, text, patience)
  const state = await readAccountState(connection, claims.sub, { servers })
  const judged = expectedServers.map((server) => judge(server, { text, updates, state }))
  const same = state.stored.filter((stored) => stored === text).length
  const resolvers = { same, other: state.stored.length - same }
  const strangers = findStrangers(servers, expectedServers)
  const isStored = updates.some((update) => update.isStored)
  // A memory resolver that has not loaded it loads what it was started with.
  const done = isStored ? ['updated', 'not-loaded'] : ['updated']
  return {
    account: claims.name ?? claims.sub,
    publicKey: claims.sub,
    iat: claims.iat,
    servers: judged,
    resolvers,
    strangers,
    isDone:
      judged.every((each) => done.includes(each.state)) &&
      resolvers.other === 0 &&
      (!isStored || same >= expectedServers.length) &&
      strangers.length === 0,
  }
}

function judge(
  server: string,
  {
    text,
    updates,
    state,
  }: { text: string; updates: readonly AccountUpdate[]; state: AccountState },
): PushedServer {
  const update = updates.find((each) => each.server.name === server)
  if (update === undefined) return { server, state: 'missing' }
  if (update.refusal !== undefined) return { server, state: 'refused', reason: update.refusal }
  const running = state.running.get(server)
  if (running === undefined) return { server, state: 'not-loaded' }
  return { server, state: running === text ? 'updated' : 'different' }
}

/** Names that are not expected, and those that more than one server answers by. */
export function findStrangers(
  servers: readonly LiveServer[],
  expected: readonly string[],
): string[] {
  return servers
    .filter(({ name }, at) => {
      const first = servers.findIndex((other) => other.name === name)
      return !expected.includes(name) || first !== at
    })
    .map(({ name, id }) => `${name} (${id})`)
}
