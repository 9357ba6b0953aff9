// Who may stay connected. nats-server checks a credential when it comes and when its account changes;
// it does not cap how long a credential lives, and does not know who was denied since.
import type { Archipelago } from '../archipelago.ts'
import { regionDomain } from '../identity/names.ts'
import { quote } from '../quote.ts'
import { formatTime } from '../time.ts'
import type { AccountJwt, ScopedKey } from '../trust/account.ts'
import { parseScopeName } from '../trust/declare.ts'
import type { DeclaredTrust } from '../trust/declared-state.ts'
import type { JwtClaims } from '../trust/jwt.ts'
import { clockSkewSecondsMax, credentialSecondsMax } from '../trust/lifetime.ts'
import type { UserBody } from '../trust/user.ts'
import { foldName } from './name.ts'
import { ticketTags } from './renewal.ts'

/** A connection as its server reports it; keys are public. */
export interface LiveConnection {
  readonly server: { readonly name: string; readonly id: string }
  readonly cid: number
  readonly account: string
  readonly nkey: string
  readonly issuer: string
  /** Of its user JWT, the signature checked; undefined where there is none that can be read. */
  readonly claims: JwtClaims<UserBody> | undefined
  readonly openSeconds: number
  /**
   * SHA-256 of the certificate that it showed and of its public key, in hexadecimal. Of the key, too, for a
   * certificate has a second signature that is good, which anybody can write (ECDSA), and with it a
   * digest that nobody recorded.
   */
  readonly shown?: { readonly sha256: string; readonly spkiSha256: string }
  /** Whom that certificate, or one of that key, was issued to, where the record of issuance is at hand. */
  readonly identity?: string
  readonly certifiedUntilMs?: number
}

export type CutRule =
  | 'stranger'
  | 'outlives-role'
  | 'outlives-certificate'
  | 'denied'
  | 'other-identity'
  | 'stays-in-lobby'

export interface Cut {
  readonly rule: CutRule
  readonly reason: string
}

export interface WatchContext {
  readonly archipelago: Archipelago
  readonly trust: DeclaredTrust
  readonly nowSeconds: number
}

/** Why a connection has to end, by the first rule that it breaks; undefined for one that may stay. */
export function judgeConnection(
  connection: LiveConnection,
  context: WatchContext,
): Cut | undefined {
  const account = context.trust.accounts.find(({ claims }) => claims.sub === connection.account)
  if (account === undefined) return stranger(`account ${connection.account} is not declared`)
  const scope = account.claims.nats.signing_keys.find(({ key }) => key === connection.issuer)
  if (scope === undefined) return stranger(`${connection.issuer} signs nothing in its account`)
  if (connection.claims === undefined) return stranger('its credential cannot be read')
  return (
    judgeDenied(connection, { account, scope, trust: context.trust }) ??
    judgeIdentity(connection, scope, context) ??
    judgeCertificate(connection, scope, context) ??
    judgeLife(connection.claims, scope, context) ??
    judgeStay(connection, account, context)
  )
}

/** Whether a connection came by this certificate, or by a credential that is for this identity. */
export function isOfIdentity(
  { identity, claims }: LiveConnection,
  identities: readonly string[],
): boolean {
  return identities.some((id) => id === identity || id === claims?.name)
}

/** Whether a connection came by this name, written in whatever way, or by this invite. */
export function isOf(
  { claims }: LiveConnection,
  { names, tickets }: { names: readonly string[]; tickets: readonly string[] },
): boolean {
  const { name = '', nats } = claims ?? {}
  const tags: readonly unknown[] = Array.isArray(nats?.tags) ? nats.tags : []
  const isNamed = names.some((each) => foldName(each) === foldName(name))
  return isNamed || tickets.some((id) => ticketTags(id)?.some((tag) => tags.includes(tag)))
}

const stranger = (reason: string): Cut => ({ rule: 'stranger', reason })

/** Names are people's: a service user of that name stays. */
function judgeDenied(
  connection: LiveConnection,
  { account, scope, trust }: { account: AccountJwt; scope: ScopedKey; trust: DeclaredTrust },
): Cut | undefined {
  const { nkey } = connection
  if (Object.hasOwn(account.claims.nats.revocations, nkey))
    return { rule: 'denied', reason: `${nkey} is revoked` }
  const denied = trust.denyList.claims.nats
  if (denied.nkeys.includes(nkey)) return { rule: 'denied', reason: `${nkey} is denied` }
  if (isOfIdentity(connection, denied.identities)) {
    const id = connection.identity ?? connection.claims?.name ?? ''
    return { rule: 'denied', reason: `the identity ${quote(id)} is withdrawn` }
  }
  if (parseScopeName(scope.role) === undefined || !isOf(connection, denied)) return undefined
  const name = connection.claims?.name ?? ''
  return { rule: 'denied', reason: `the name ${quote(name)} or its invite is denied` }
}

/**
 * A credential that was given for a certificate of one of our regions is used beside that identity's
 * certificate: nats-server compares them with nothing.
 */
function judgeIdentity(
  { identity, claims }: LiveConnection,
  { role }: ScopedKey,
  { archipelago }: WatchContext,
): Cut | undefined {
  const id = claims?.name ?? ''
  const { door } = parseScopeName(role) ?? {}
  const isOurs = archipelago.regions.some(({ name: region }) =>
    id.startsWith(`spiffe://${regionDomain(archipelago, region)}/`),
  )
  if (door !== 'identity' || !isOurs || identity === undefined || identity === id) return undefined
  const reason = `its credential is for ${quote(id)}, its certificate for ${quote(identity)}`
  return { rule: 'other-identity', reason }
}

/**
 * A workload's credential is good beside a certificate: what was given for a token may last longer, and
 * nats-server asks for a certificate when a connection begins, and never again.
 */
function judgeCertificate(
  { certifiedUntilMs = Infinity }: LiveConnection,
  { role }: ScopedKey,
  { nowSeconds }: WatchContext,
): Cut | undefined {
  const isOver = nowSeconds * 1000 >= certifiedUntilMs
  if (parseScopeName(role)?.door !== 'identity' || !isOver) return undefined
  const reason = `its certificate ended ${formatTime(certifiedUntilMs)}`
  return { rule: 'outlives-certificate', reason }
}

function judgeLife(
  { iat, exp }: JwtClaims<UserBody>,
  { role }: ScopedKey,
  { archipelago, nowSeconds }: WatchContext,
): Cut | undefined {
  const outlives = (reason: string): Cut => ({ rule: 'outlives-role', reason })
  const lifeMax = credentialSecondsMax(archipelago, role)
  if (lifeMax === undefined) return outlives(`archipelago.yaml knows no role of ${role}`)
  if (exp === undefined) return outlives('its credential has no end')
  if (exp - iat > lifeMax)
    return outlives(`its credential lives ${exp - iat} s, ${role} at most ${lifeMax} s`)
  const aheadSeconds = iat - nowSeconds
  if (aheadSeconds > clockSkewSecondsMax)
    return outlives(`its credential is from ${Math.round(aheadSeconds)} s after now`)
  return undefined
}

function judgeStay(
  { openSeconds }: LiveConnection,
  { claims }: AccountJwt,
  { archipelago }: WatchContext,
): Cut | undefined {
  const { connectionSecondsMax } = archipelago.lobby
  const isLobby = claims.name === 'LOBBY' || claims.name === 'LEGACY'
  if (!isLobby || openSeconds <= connectionSecondsMax) return undefined
  const reason = `in the lobby for ${Math.round(openSeconds)} s, ${connectionSecondsMax} at most`
  return { rule: 'stays-in-lobby', reason }
}
