// Watches the network at the operator's side: cuts connections that the servers would let be, and puts
// back accounts and deny lists that are not, or no longer, what the operator declared.
import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/nats-core'
import type { Archipelago } from '../core/archipelago.ts'
import { expectedServers } from '../core/network/expected.ts'
import type { WatchFinding } from '../core/network/watch-finding.ts'
import type { DeclaredState } from '../core/trust/declared-state.ts'
import { findServers, type LiveServer } from './account-state.ts'
import type { ClaimsCache } from './live-connections.ts'
import { findStrangers } from './push-accounts.ts'
import { watchAccounts, type SeenAccounts } from './watch-accounts.ts'
import { watchConnections } from './watch-connections.ts'
import { watchFunctions, type SeenDenyList } from './watch-functions.ts'

export interface Watch {
  readonly archipelago: Archipelago
  readonly state: DeclaredState
  /** Called again when a connection was closed; must refuse when a server does not take the credential. */
  readonly connectAs: (user: 'pusher' | 'access-operator') => Promise<NatsConnection>
}

export interface WatchOptions extends Watch {
  /** Hears each finding; one that lasts is told once. */
  readonly onFinding: (finding: WatchFinding) => void
  /** Between two looks; after something was mended the next one follows sooner. */
  readonly intervalMs?: number
}

const intervalMsDefault = 3_000
const hurryMs = 300

/** Watches until it is disposed. A failure is a finding, and the next look begins with a new connection. */
export function watchNetwork(options: WatchOptions): AsyncDisposable {
  const stop = new AbortController()
  const watching = keepWatching(options, stop.signal)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watching
    },
  }
}

/** One look, with all that it mends. */
export async function watchOnce(watch: Watch): Promise<WatchFinding[]> {
  await using eyes = openEyes(watch)
  return await look(watch, eyes)
}

async function keepWatching(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { onFinding, intervalMs = intervalMsDefault } = options
  await using eyes = openEyes(options)
  let standing = new Set<string>()
  while (!signal.aborted) {
    const findings = await look(options, eyes)
    const fresh = findings.filter((each) => !standing.has(keyOf(each)))
    if (!signal.aborted) fresh.forEach(onFinding)
    standing = new Set(findings.map(keyOf))
    const isMended = fresh.some(({ measure }) => measure !== 'none')
    await delay(isMended ? hurryMs : intervalMs, undefined, { signal }).catch(() => {})
  }
}

const keyOf = ({ code, subject }: WatchFinding) => `${code} ${subject}`

/** Connections and what was seen through them. */
interface Eyes extends AsyncDisposable {
  as(user: 'pusher' | 'access-operator'): Promise<NatsConnection>
  readonly accounts: SeenAccounts
  readonly denyList: SeenDenyList
  readonly claims: ClaimsCache
}

function openEyes({ connectAs }: Watch): Eyes {
  const open = new Map<string, NatsConnection>()
  return {
    accounts: new Map(),
    denyList: {},
    claims: new Map(),
    async as(user) {
      const known = open.get(user)
      if (known !== undefined && !known.isClosed()) return known
      const connection = await connectAs(user)
      open.set(user, connection)
      return connection
    },
    async [Symbol.asyncDispose]() {
      const connections = [...open.values()]
      open.clear()
      await Promise.all(connections.map((connection) => connection.close()))
    },
  }
}

async function look(watch: Watch, eyes: Eyes): Promise<WatchFinding[]> {
  const looks = [() => lookAtServers(watch, eyes), () => lookAtFunctions(watch, eyes)]
  const seen = await Promise.allSettled(looks.map((each) => each()))
  const failures = seen.filter((each) => each.status === 'rejected')
  if (failures.length > 0) await eyes[Symbol.asyncDispose]()
  return [
    ...seen.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])),
    ...failures.map(({ reason }) => failed(reason)),
  ]
}

async function lookAtServers(watch: Watch, eyes: Eyes): Promise<WatchFinding[]> {
  const { archipelago, state } = watch
  const pusher = await eyes.as('pusher')
  const { identities } = state.read().denyList.claims.nats
  const expected = expectedServers(archipelago, identities)
  const all = await findServers(pusher, expected)
  const servers = all.filter(({ name }) => expected.includes(name))
  return [
    ...expected.filter((name) => !all.some((server) => server.name === name)).map(missing),
    ...findStrangers(all, expected).map(unknown),
    ...(await watchAccounts(pusher, state, { servers, seen: eyes.accounts })),
    ...(await watchConnections(pusher, watch, { servers, cache: eyes.claims })),
  ]
}

async function lookAtFunctions(watch: Watch, eyes: Eyes): Promise<WatchFinding[]> {
  return watchFunctions(await eyes.as('access-operator'), watch, eyes.denyList)
}

function missing(subject: LiveServer['name']): WatchFinding {
  return { code: 'server-missing', subject, message: `${subject}: no answer`, measure: 'none' }
}

function unknown(subject: string): WatchFinding {
  const message = `${subject}: a server that nobody expects`
  return { code: 'server-unknown', subject, message, measure: 'none' }
}

function failed(reason: unknown): WatchFinding {
  const message = reason instanceof Error ? reason.message : String(reason)
  return { code: 'watch-failed', subject: 'watcher', message, measure: 'none' }
}
