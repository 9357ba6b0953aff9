// How long a credential may live: nats-server cannot cap `exp`, so whoever holds a signing key could
// sign for ten years. What lives longer than this is cut by the watcher.
import type { Archipelago } from '../archipelago.ts'
import type { AccountJwt } from './account.ts'
import { parseScopeName, serviceUsers, type ServiceUser } from './declare.ts'

/** The clocks of a requestor, a function and the watcher together may be off by this much. */
export const clockSkewSecondsMax = 120

const daySeconds = 24 * 3600
/**
 * What credentials of the operator's own users are signed for, and the most that they may have. Those
 * of 90 days are public: they are handed out, and not made for each use.
 */
export const serviceLifetimeSeconds: Readonly<Record<ServiceUser, number>> = {
  observer: daySeconds,
  pusher: daySeconds,
  'access-operator': daySeconds,
  lobby: 90 * daySeconds,
  'legacy-requestor': 90 * daySeconds,
}

/** It signs its own, in the region; each connection gets a new one. */
export const monitorSeconds = 15 * 60

/** Seconds from `iat` to `exp` that a credential under this ceiling may have; undefined for an unknown one. */
export function credentialSecondsMax(
  { roles, leafnode }: Archipelago,
  scopeName: string,
): number | undefined {
  if (Object.hasOwn(serviceUsers, scopeName))
    return serviceLifetimeSeconds[scopeName as ServiceUser]
  if (scopeName.startsWith('monitor.')) return monitorSeconds
  if (scopeName.startsWith('leafnode.')) return leafnode.lifetimeSeconds
  const known = parseScopeName(scopeName)
  return roles.find(({ name }) => name === known?.role)?.lifetimeSeconds
}

/** After so many seconds no credential of a key is alive that this account's ceilings allowed. */
export function accountSecondsMax(archipelago: Archipelago, { claims }: AccountJwt): number {
  const lives = claims.nats.signing_keys.map(({ role }) => credentialSecondsMax(archipelago, role))
  return Math.max(0, ...lives.map((life) => life ?? 0)) + clockSkewSecondsMax
}
