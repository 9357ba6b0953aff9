// Connections that the servers would let be: judged by their credentials, and cut.
import type { NatsConnection } from '@nats-io/nats-core'
import { judgeConnection, type Cut, type LiveConnection } from '../core/access/live-connection.ts'
import type { Archipelago } from '../core/archipelago.ts'
import type { WatchFinding } from '../core/network/watch-finding.ts'
import type { DeclaredState, DeclaredTrust } from '../core/trust/declared-state.ts'
import type { LiveServer } from './account-state.ts'
import { identify, kick, readLiveConnections, type ClaimsCache } from './live-connections.ts'

const cachedMax = 50_000

/** One finding for each connection that was cut, and one for each server that shows none. */
export async function watchConnections(
  connection: NatsConnection,
  { archipelago, state }: { archipelago: Archipelago; state: DeclaredState },
  { servers, cache }: { servers: readonly LiveServer[]; cache: ClaimsCache },
): Promise<WatchFinding[]> {
  if (cache.size > cachedMax) cache.clear()
  const trust = state.read()
  const judge = (each: LiveConnection): Cut | undefined =>
    judgeConnection(each, { archipelago, trust, nowSeconds: Date.now() / 1000 })
  const findings = servers.map(async (server): Promise<WatchFinding[]> => {
    const live = await readLiveConnections(connection, server, cache).catch(() => undefined)
    if (live === undefined) return [unread(server)]
    const cuts = identify(live, state).map(async (each) => {
      const cut = judge(each)
      return cut === undefined ? [] : await end(connection, each, { cut, trust, state })
    })
    return (await Promise.all(cuts)).flat()
  })
  return (await Promise.all(findings)).flat()
}

async function end(
  connection: NatsConnection,
  live: LiveConnection,
  { cut, trust, state }: { cut: Cut; trust: DeclaredTrust; state: DeclaredState },
): Promise<WatchFinding[]> {
  if (!(await kick(connection, live))) return []
  const { server, cid, nkey, issuer } = live
  const subject = `${server.name}#${cid}`
  const revoked = cut.rule === 'denied' ? revokeKey(live, trust, state) : 'unrevoked'
  const note = typeof revoked === 'string' ? '' : `; not revoked: ${revoked.message}`
  const message = `${subject} of ${nkey}: ${cut.reason} (signed by ${issuer})${note}`
  const measure = revoked === 'revoked' ? 'kicked and revoked' : 'kicked'
  return [{ code: 'connection-cut', subject, message, measure }]
}

/** A key that holds on to a denied name would be back before the next look. */
function revokeKey(
  live: LiveConnection,
  trust: DeclaredTrust,
  state: DeclaredState,
): 'revoked' | 'unrevoked' | Error {
  const account = trust.accounts.find(({ claims }) => claims.sub === live.account)
  if (account === undefined || live.nkey in account.claims.nats.revocations) return 'unrevoked'
  const accounts = [account.claims.name as string]
  try {
    state.revoke({ nkeys: [live.nkey], names: [], tickets: [], accounts })
    return 'revoked'
  } catch (error) {
    return error as Error
  }
}

function unread({ name }: LiveServer): WatchFinding {
  const message = `${name} does not list its connections`
  return { code: 'server-missing', subject: name, message, measure: 'none' }
}
