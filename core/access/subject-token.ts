// Tokens that say who a workload is: of a Kubernetes cluster, of an OIDC issuer, or JWT-SVIDs. Their
// issuers' keys come with what the operator signed; nothing is fetched.
import type { Archipelago, IdentityEntry, Issuer, Role } from '../archipelago.ts'
import { Refusal, type RefusalCode } from '../errors.ts'
import type { Bundle, BundleMap } from '../identity/bundle.ts'
import { importJwkSet, type TokenKey } from '../identity/jwk-set.ts'
import { parseJws, requireAlgorithm, verifyJws, type Jws } from '../identity/jws.ts'
import { verifyJwtSvid } from '../identity/jwt-svid.ts'
import { parseTrustDomain, type TrustDomain } from '../identity/spiffe-id.ts'
import { quote } from '../quote.ts'
import type { Nkey } from '../trust/nkey.ts'
import { requireServiceAccount } from './service-account.ts'
import { formatTokenAudience, nkeyOfAudience } from './token-audience.ts'
import { requireTimes } from './token-times.ts'

/** Who was vouched for, and what archipelago.yaml makes of it. */
export interface Subject {
  /** A SPIFFE ID, or the name of an issuer and its subject: `<issuer>|<sub>`. */
  readonly name: string
  readonly role: Role
  /** Where the entry stands that let it in: `roles.<role>.identity[<index>]`. */
  readonly entry: string
  readonly endsAtMs: number
}
export interface TokenContext {
  readonly archipelago: Archipelago
  /** Whose function decides: an issuer is believed in its regions alone. */
  readonly region: string
  /** That proved itself. */
  readonly nkey: Nkey<'user'>
  readonly nowMs: number
}

/** Refuses a token that is not exactly what one role's entry asks for. */
export function verifySubjectToken(token: string, context: TokenContext): Subject {
  const jws = parseJws(token)
  requireAlgorithm(jws.header)
  const { sub } = jws.claims
  if (typeof sub !== 'string' || sub === '') throw refusal('ERR_TOKEN_SUBJECT', 'no subject')
  return sub.startsWith('spiffe://')
    ? verifySpiffe(token, context)
    : verifyIssued(jws, sub, context)
}

function verifySpiffe(token: string, context: TokenContext): Subject {
  const { archipelago, nkey, nowMs } = context
  const audience = formatTokenAudience(archipelago.network, nkey)
  const { id, expiresAtMs } = verifyJwtSvid(token, {
    bundles: bundlesOf(issuersHere(context)),
    audience,
    nowMs,
  })
  return { ...requireEntry(archipelago, { spiffeId: id }), name: id, endsAtMs: expiresAtMs }
}

/** Of a workload that came with its certificate. */
export function subjectOfId(archipelago: Archipelago, id: string, endsAtMs: number): Subject {
  return { ...requireEntry(archipelago, { spiffeId: id }), name: id, endsAtMs }
}

function verifyIssued(jws: Jws, sub: string, context: TokenContext): Subject {
  const { archipelago, nowMs } = context
  const issuer = requireIssuer(jws.claims, context)
  requireHeader(jws.header)
  verifyJws(jws, requireKey(jws.header, issuer))
  const endsAtMs = requireTimes(jws.claims, nowMs)
  if (issuer.kind === 'kubernetes') requireServiceAccount(jws.claims, sub)
  const { audience: fixed, ...found } = requireEntry(archipelago, {
    issuer: issuer.name,
    subject: sub,
  })
  requireAudience(jws.claims, fixed, context)
  return { ...found, name: `${issuer.name}|${sub}`, endsAtMs }
}

const issuersHere = ({ archipelago, region }: TokenContext): Issuer[] =>
  archipelago.issuers.filter(({ regions }) => regions.includes(region))

function requireIssuer({ iss }: Jws['claims'], context: TokenContext): Issuer {
  const issuer = issuersHere(context).find(
    ({ kind, issuer }) => kind !== 'jwt-svid' && issuer === iss,
  )
  if (issuer !== undefined) return issuer
  const name = typeof iss === 'string' ? quote(iss) : 'none'
  throw refusal('ERR_TOKEN_ISSUER', `issuer is not one of ${context.region}'s: ${name}`)
}

/** By `crit` a token is something else to who understands it; of the others each is a key of its own choice. */
const headersRefused = ['crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u']

function requireHeader(header: Jws['header']): void {
  const refused = headersRefused.find((name) => Object.hasOwn(header, name))
  if (refused !== undefined) throw refusal('ERR_TOKEN_HEADER', `header ${quote(refused)}`)
  const { typ } = header
  if (typ !== undefined && !(typeof typ === 'string' && /^(JWT|JOSE)$/i.test(typ)))
    throw refusal('ERR_TOKEN_HEADER', `type ${quote(JSON.stringify(typ))}`)
}

const keySets = new WeakMap<Issuer, ReadonlyMap<string, TokenKey>>()

function keysOf(issuer: Issuer): ReadonlyMap<string, TokenKey> {
  const known = keySets.get(issuer) ?? importJwkSet(issuer.keys)
  keySets.set(issuer, known)
  return known
}

function requireKey({ kid, alg }: Jws['header'], issuer: Issuer): TokenKey['key'] {
  const id = typeof kid === 'string' ? kid : (JSON.stringify(kid) ?? 'undefined')
  const found = typeof kid === 'string' ? keysOf(issuer).get(kid) : undefined
  if (found === undefined)
    throw refusal('ERR_TOKEN_KEY_ID', `issuer ${issuer.name} has no key ${quote(id)}`)
  if (found.alg !== undefined && found.alg !== alg)
    throw refusal('ERR_TOKEN_KEY_ID', `key ${quote(id)} is for ${quote(found.alg)} alone`)
  return found.key
}

/** JWT-SVIDs are verified by bundles, of which these have no authorities of certificates. */
function bundlesOf(issuers: readonly Issuer[]): BundleMap {
  const own = issuers.filter(({ kind }) => kind === 'jwt-svid')
  return new Map(own.map((issuer): [TrustDomain, Bundle] => [domainOf(issuer), bundleOf(issuer)]))
}

const domainOf = ({ issuer }: Issuer) => parseTrustDomain(issuer.slice('spiffe://'.length))

function bundleOf(issuer: Issuer): Bundle {
  const jwtKeys = new Map([...keysOf(issuer)].map(([kid, { key }]) => [kid, key]))
  return { refreshHintSeconds: 0, authorities: [], jwtKeys }
}

type Found = Pick<Subject, 'role' | 'entry'> & Pick<IdentityEntry, 'audience'>

/** One at most: archipelago.yaml gives an identity one role. */
function requireEntry({ roles }: Archipelago, who: IdentityEntry): Found {
  const isOf = (entry: IdentityEntry) =>
    entry.spiffeId === who.spiffeId && entry.issuer === who.issuer && entry.subject === who.subject
  for (const role of roles) {
    const index = role.identity.findIndex(isOf)
    const audience = role.identity[index]?.audience
    if (index >= 0) return { role, entry: `roles.${role.name}.identity[${index}]`, audience }
  }
  const name = who.spiffeId ?? `${who.issuer}|${who.subject}`
  throw refusal('ERR_TOKEN_SUBJECT', `no role is given to ${quote(name)}`)
}

/**
 * Its audience names the nkey, or is the fixed one and nothing else: whoever else a token is for could
 * hand it in here under a key of his own.
 */
function requireAudience(
  { aud }: Jws['claims'],
  fixed: string | undefined,
  { archipelago: { network }, nkey }: TokenContext,
): void {
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud]
  const texts = audience.filter((each) => typeof each === 'string')
  if (texts.length < audience.length) throw refusal('ERR_TOKEN_AUDIENCE', 'no audience')
  if (texts.includes(formatTokenAudience(network, nkey))) return
  const other = texts.map((each) => nkeyOfAudience(network, each)).find((key) => key !== undefined)
  if (other !== undefined) throw refusal('ERR_TOKEN_BINDING', `it is for the nkey ${other}`)
  if (fixed !== undefined && texts.length === 1 && texts[0] === fixed) return
  const wanted = fixed === undefined ? '' : `, nor ${quote(fixed)} alone`
  throw refusal(
    'ERR_TOKEN_AUDIENCE',
    `its audience is not ${formatTokenAudience(network, nkey)}${wanted}`,
  )
}

const refusal = (code: RefusalCode, what: string) => new Refusal(code, `token refused: ${what}`)
