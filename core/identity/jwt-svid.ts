// JWT-SVIDs (JWT-SVID.md): bearer tokens of an identity, good for an audience.
import { Refusal, type RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'
import { formatTime, thisClock } from '../time.ts'
import { requireBundle, type BundleMap } from './bundle.ts'
import { skewMs } from './chain.ts'
import { parseJws, requireAlgorithm, verifyJws, type Jws } from './jws.ts'
import { parseSpiffeId, pathOf, trustDomainOf, type SpiffeId } from './spiffe-id.ts'

export interface JwtSvid {
  readonly id: SpiffeId
  readonly audience: readonly string[]
  readonly expiresAtMs: number
  readonly claims: Jws['claims']
}
export interface JwtSvidContext {
  readonly bundles: BundleMap
  /** Must stand in the token's audience, exactly. */
  readonly audience: string
  readonly nowMs: number
}

/** Refuses whatever is not signed for this audience by a key of the subject's own trust domain. */
export function verifyJwtSvid(token: string, context: JwtSvidContext): JwtSvid {
  const jws = parseJws(token)
  requireAlgorithm(jws.header)
  requireHeader(jws.header)
  const id = readSubject(jws.claims)
  const { jwtKeys } = requireBundle(context.bundles, trustDomainOf(id))
  const key = jwtKeys.get(jws.header['kid'] as string)
  if (key === undefined)
    throw refusal(
      'ERR_JWT_SVID_KEY_ID',
      `no such key: ${quote(JSON.stringify(jws.header['kid']) ?? 'none')}`,
    )
  verifyJws(jws, key)
  const expiresAtMs = requireTimes(jws.claims, context.nowMs)
  const audience = requireAudience(jws.claims, context.audience)
  return { id, audience, expiresAtMs, claims: jws.claims }
}

const headerNames = ['alg', 'kid', 'typ']

/** Section 2: a header that is not understood (`crit`, `jwk`, `x5u`) must not be passed over. */
function requireHeader(header: Jws['header']): void {
  const other = Object.keys(header).find((name) => !headerNames.includes(name))
  if (other !== undefined) throw refusal('ERR_JWT_SVID_HEADER', `header ${quote(other)}`)
  const { typ } = header
  if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE')
    throw refusal('ERR_JWT_SVID_TYPE', `type ${quote(JSON.stringify(typ))}`)
}

function readSubject({ sub }: Jws['claims']): SpiffeId {
  if (typeof sub !== 'string') throw refusal('ERR_JWT_SVID_SUBJECT', 'no subject')
  const id = parseSpiffeId(sub)
  if (pathOf(id) === '') throw refusal('ERR_JWT_SVID_SUBJECT', 'a trust domain is its subject')
  return id
}

/** Unix seconds in the token; both clocks in the message. */
function requireTimes(claims: Jws['claims'], nowMs: number): number {
  const { exp, nbf, iat } = claims
  const clock = thisClock(nowMs)
  if (!isTime(exp)) throw refusal('ERR_JWT_SVID_EXPIRY', 'no expiry')
  if (exp * 1000 <= nowMs - skewMs)
    throw refusal('ERR_JWT_SVID_EXPIRED', `ended ${formatTime(exp * 1000)}, ${clock}`)
  for (const begin of [nbf, iat]) {
    if (begin === undefined) continue
    if (!isTime(begin)) throw refusal('ERR_JWT_SVID_EXPIRY', 'a time that is none')
    if (begin * 1000 > nowMs + skewMs)
      throw refusal('ERR_JWT_SVID_NOT_YET_VALID', `begins ${formatTime(begin * 1000)}, ${clock}`)
  }
  return exp * 1000
}

function requireAudience({ aud }: Jws['claims'], wanted: string): string[] {
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audience.every((each) => typeof each === 'string'))
    throw refusal('ERR_JWT_SVID_AUDIENCE', 'no audience')
  if (!audience.includes(wanted)) throw refusal('ERR_JWT_SVID_AUDIENCE', `not for ${quote(wanted)}`)
  return audience
}

const secondsMax = 253_402_300_799
const isTime = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= secondsMax

const refusal = (code: RefusalCode, what: string) => new Refusal(code, `JWT-SVID refused: ${what}`)
