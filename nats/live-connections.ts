// The connections of clients and leafnodes, with the credentials by which they came.
import type { NatsConnection } from '@nats-io/nats-core'
import type { LiveConnection } from '../core/access/live-connection.ts'
import { Refusal } from '../core/errors.ts'
import type { DeclaredState } from '../core/trust/declared-state.ts'
import type { JwtClaims } from '../core/trust/jwt.ts'
import { parseLegacyUser } from '../core/trust/legacy-user.ts'
import { parseUser, type UserBody } from '../core/trust/user.ts'
import type { LiveServer } from './account-state.ts'
import { askServer, kickConnection, type Connection, type Connz } from './system.ts'

const perPage = 256
/** A server that never ends its list is no reason to listen for ever. */
const pagesMax = 4_000

/** By the text of the JWT: to check a signature takes longer than all the rest. */
export type ClaimsCache = Map<string, JwtClaims<UserBody> | undefined>

/** All connections of one server that have logged in. Refuses a server that does not answer. */
export async function readLiveConnections(
  connection: NatsConnection,
  server: LiveServer,
  cache: ClaimsCache = new Map(),
): Promise<LiveConnection[]> {
  const live: LiveConnection[] = []
  for (let page = 0; page < pagesMax; page += 1) {
    const options = { auth: true, limit: perPage, offset: page * perPage }
    const answer = await askServer(connection, server.id, { question: 'CONNZ', options })
    const { connections, now } = answer as Connz & { readonly now: string }
    live.push(...connections.flatMap((each) => toLive(each, { server, now, cache })))
    if (connections.length < perPage) break
  }
  return live
}

/** With whom their certificates were issued to: asked once for all, and only where there are any. */
export function identify(
  live: readonly LiveConnection[],
  { issuedTo }: Pick<DeclaredState, 'issuedTo'>,
): LiveConnection[] {
  const known = issuedTo(new Set(live.flatMap(({ shown }) => Object.values(shown ?? {}))))
  return live.map((each) => {
    const { sha256 = '', spkiSha256 = '' } = each.shown ?? {}
    return { ...each, ...(known.get(sha256) ?? known.get(spkiSha256)) }
  })
}

/** Kicks; that it is gone already is as good. Whether it was this one that ended it. */
export async function kick(
  connection: NatsConnection,
  { server, cid }: LiveConnection,
): Promise<boolean> {
  try {
    await kickConnection(connection, server.id, cid)
    return true
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ERR_SERVER_REFUSED') return false
    throw error
  }
}

/**
 * The age by the server's own clock. What has not logged in yet has no account. `authorized_user` is
 * what the client says of itself (getRawAuthUser, 2.15.2): by it one could have others revoked.
 */
function toLive(
  connection: Connection,
  { server, now, cache }: { server: LiveServer; now: string; cache: ClaimsCache },
): LiveConnection[] {
  const { cid, account, authorized_user: claimed, issuer_key: issuer, jwt, start } = connection
  if (account === undefined || claimed === undefined) return []
  const openSeconds = (Date.parse(now) - Date.parse(start)) / 1000
  const claims = jwt === undefined ? undefined : readClaims(jwt, cache)
  const nkey = claims?.sub ?? claimed
  const live = { server, cid, account, nkey, issuer: issuer ?? '', claims, openSeconds }
  const { cert_sha256: sha256 = '', spki_sha256: spkiSha256 = '' } =
    connection.tls_peer_certs?.[0] ?? {}
  return [{ ...live, ...(sha256 !== '' && { shown: { sha256, spkiSha256 } }) }]
}

function readClaims(jwt: string, cache: ClaimsCache): JwtClaims<UserBody> | undefined {
  if (!cache.has(jwt)) cache.set(jwt, parseOrNothing(jwt))
  return cache.get(jwt)
}

/** nats-server takes both forms, so who watches it has to read both. */
function parseOrNothing(jwt: string): JwtClaims<UserBody> | undefined {
  for (const parse of [parseUser, parseLegacyUser]) {
    try {
      return parse(jwt).claims
    } catch {
      // Perhaps of the other form.
    }
  }
  return undefined
}
