// NATS JWTs, version 2 (github.com/nats-io/jwt/v2): who signs what is decided elsewhere.
import { hash } from 'node:crypto'
import { decodeBase64url } from '../base64url.ts'
import { Refusal } from '../errors.ts'
import { formatTime, thisClock } from '../time.ts'
import { encodeBase32 } from './base32.ts'
import { isNkey, isSignedBy, signWith, type Nkey, type NkeyPair, type NkeyRole } from './nkey.ts'

const header = encodeSegment({ typ: 'JWT', alg: 'ed25519-nkey' })
/** nats-io/jwt writes 52, its JavaScript sister 88. */
const idCharactersMax = 128
export const jwtCharactersMax = 1024 * 1024

/** What is inside of a JWT; times are Unix seconds. */
export interface JwtClaims<Body extends JwtBody = JwtBody> {
  readonly jti: string
  readonly iat: number
  readonly iss: Nkey
  readonly sub: string
  readonly name?: string
  readonly aud?: string
  readonly exp?: number
  readonly nats: Body
}
export interface JwtBody {
  readonly type: string
  readonly version: number
}
export interface Jwt<Body extends JwtBody = JwtBody> {
  readonly text: string
  readonly claims: JwtClaims<Body>
}

/** Signs the claims; `jti` is the digest of all others, as in nats-io/jwt. */
export function encodeJwt<Body extends JwtBody>(
  claims: Omit<JwtClaims<Body>, 'jti' | 'iss'>,
  issuer: NkeyPair,
): Jwt<Body> {
  const unsigned = { ...claims, iss: issuer.publicKey }
  const jti = encodeBase32(hash('sha512-256', JSON.stringify(unsigned), 'buffer'))
  const complete = { jti, ...unsigned }
  const body = `${header}.${encodeSegment(complete)}`
  const signature = Buffer.from(signWith(issuer, Buffer.from(body))).toString('base64url')
  return { text: `${body}.${signature}`, claims: complete }
}

/** Refuses a text whose form, algorithm or signature is wrong. Says nothing about the issuer's rights. */
export function decodeJwt<Body extends JwtBody>(type: string, text: string): Jwt<Body> {
  const [head, payload, signature, ...rest] = text.length > jwtCharactersMax ? [] : text.split('.')
  if (!head || !payload || !signature || rest.length > 0)
    throw new Refusal('ERR_JWT_ILLEGAL', `illegal JWT: not three segments`)
  if (head !== header) requireAlgorithm(head)
  const claims = decodeSegment(payload)
  if (!isClaims(claims)) throw new Refusal('ERR_JWT_ILLEGAL', 'illegal JWT: claims are missing')
  if (claims.nats.type !== type)
    throw new Refusal('ERR_JWT_ILLEGAL', `illegal JWT: not of type ${type}: '${claims.nats.type}'`)
  const signed = Buffer.from(`${head}.${payload}`)
  if (!isSignedBy(claims.iss, signed, decodeSignature(signature)))
    throw new Refusal('ERR_JWT_SIGNATURE', `JWT ${claims.jti}: signature is not by ${claims.iss}`)
  return { text, claims: claims as unknown as JwtClaims<Body> }
}

/** Refuses a JWT whose `exp` (Unix seconds) is over. */
export function requireAlive({ claims }: Jwt, nowSeconds: number): void {
  if (claims.exp !== undefined && claims.exp <= nowSeconds)
    throw new Refusal(
      'ERR_JWT_EXPIRED',
      `JWT ${claims.jti}: ended ${formatTime(claims.exp * 1000)}, ${thisClock(nowSeconds * 1000)}`,
    )
}

/** Of its sixteen spellings in lenient base64url one is taken: two texts are never the same JWT. */
function decodeSignature(text: string): Buffer {
  const bytes = decodeBase64url(text)
  if (bytes !== undefined) return bytes
  throw new Refusal('ERR_JWT_ILLEGAL', 'illegal JWT: signature is not base64url')
}

function requireAlgorithm(head: string): void {
  const algorithm = (decodeSegment(head) as { alg?: unknown } | undefined)?.alg
  if (algorithm !== 'ed25519-nkey')
    throw new Refusal('ERR_JWT_ILLEGAL', `illegal JWT: algorithm is not ed25519-nkey`)
}

function encodeSegment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodeSegment(segment: string): unknown {
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString())
  } catch {
    return undefined
  }
}

const issuers: readonly NkeyRole[] = ['operator', 'account', 'user', 'server']

function isClaims(value: unknown): value is JwtClaims {
  if (typeof value !== 'object' || value === null) return false
  const { jti, iat, iss, sub, exp, name, nats } = value as Record<string, unknown>
  return (
    typeof jti === 'string' &&
    jti.length <= idCharactersMax &&
    Number.isSafeInteger(iat) &&
    typeof iss === 'string' &&
    issuers.some((role) => isNkey(role, iss)) &&
    typeof sub === 'string' &&
    (name === undefined || typeof name === 'string') &&
    (exp === undefined || Number.isSafeInteger(exp)) &&
    typeof nats === 'object' &&
    nats !== null &&
    typeof (nats as { type?: unknown }).type === 'string'
  )
}
