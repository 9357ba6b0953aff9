// What the servers hold of one account.
import type { NatsConnection } from '@nats-io/nats-core'
import { lookupAccount } from './claims.ts'
import { askServers, pingServers } from './system.ts'

export interface AccountState {
  /** What runs, by server name; a server that has not loaded the account is not among them. */
  readonly running: ReadonlyMap<string, string>
  /** What lies in the resolvers, without their names, and runs after the next restart. */
  readonly stored: readonly string[]
}

/** A server that is running; two of one name would be an impostor and his victim. */
export interface LiveServer {
  readonly name: string
  readonly id: string
}

/** Waited for only where an answer is missing: a busy server is not a lost one. */
const stallMs = 1_000
const strangerMs = 300

/** Asks twice, for a resolver can hold another JWT than runs: a foreign operator's, until the restart. */
export async function readAccountState(
  connection: NatsConnection,
  account: string,
  { servers }: { servers: readonly LiveServer[] },
): Promise<AccountState> {
  const patience = { expected: servers.length, stallMs }
  const [loaded, stored] = await Promise.all([
    askServers(connection, 'ACCOUNTZ', { ...patience, options: { account } }),
    lookupAccount(connection, account, patience),
  ])
  const running = loaded.flatMap(({ server, data }) => {
    const jwt = data?.account_detail?.jwt
    return jwt === undefined ? [] : [[server.name, jwt] as const]
  })
  return { running: new Map(running), stored }
}

/** Who answers; waits for stragglers and strangers unless exactly the expected names did. */
export async function findServers(
  connection: NatsConnection,
  expected: readonly string[],
): Promise<LiveServer[]> {
  const first = await pingServers(connection, { expected: expected.length, stallMs })
  const names = new Set(first.map(({ name }) => name))
  const isWhole = names.size === expected.length && expected.every((name) => names.has(name))
  return isWhole ? first : pingServers(connection, { stallMs: strangerMs })
}
