// Waits until nobody is connected with a credential that an old key signed.
import { setTimeout as delay } from 'node:timers/promises'
import { expectedServers } from '../../core/network/expected.ts'
import { clockSkewSecondsMax } from '../../core/trust/lifetime.ts'
import { findServers } from '../../nats/account-state.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { readLiveConnections, type ClaimsCache } from '../../nats/live-connections.ts'
import type { RotatingKey, Rotation } from '../../store/rotation.ts'
import type { RotationContext } from './rotate-keys.ts'

/** Whoever was answered just before the switch still has to connect. */
const settleMs = 3_000
const pauseMs = 500

/**
 * Ends when no connection of an old key is left, when no credential of one can be alive, or at the
 * deadline. Without a look at the connections (the operator's home is elsewhere) only lives count.
 */
export async function drainOldKeys(
  { keys, switchedAtMs = Date.now() }: Rotation,
  { place, pusher, report, drainDeadlineMs = Infinity }: RotationContext,
): Promise<void> {
  // A leafnode's connection lives as long as its credential; it comes back at once with the new one.
  const draining = keys.filter(({ role }) => role !== undefined)
  const lives = draining.map(({ lifetimeSeconds }) => lifetimeSeconds + clockSkewSecondsMax)
  const end = switchedAtMs + Math.min(Math.max(0, ...lives) * 1000, drainDeadlineMs)
  const cache: ClaimsCache = new Map()
  let shown = -1
  while (Date.now() < end) {
    const servers = expectedServers(place.archipelago)
    const left = pusher && (await countOld(pusher, draining, { servers, cache }))
    const isSettled = Date.now() - switchedAtMs >= settleMs
    if (left === 0 && isSettled) return
    if (left !== undefined && left !== shown)
      report(`connections with the old keys: ${left}; until ${new Date(end).toISOString()} at most`)
    shown = left ?? shown
    await delay(pauseMs)
  }
}

/** Undefined while a server does not list its connections: nobody knows then. */
async function countOld(
  pusher: NatsConnection,
  keys: readonly RotatingKey[],
  { servers: expected, cache }: { servers: readonly string[]; cache: ClaimsCache },
): Promise<number | undefined> {
  const old = new Set<string>(keys.map((key) => key.old))
  const servers = await findServers(pusher, expected)
  const lists = await Promise.allSettled(
    servers.map((server) => readLiveConnections(pusher, server, cache)),
  )
  if (servers.length < expected.length || lists.some(({ status }) => status === 'rejected'))
    return undefined
  const live = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
  return live.filter(({ issuer }) => old.has(issuer)).length
}
