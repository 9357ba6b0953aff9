// Compact JWS (RFC 7515) with public-key algorithms. Which header and claims a token must have is for
// its own format to say.
import { constants, verify, type KeyObject } from 'node:crypto'
import { decodeBase64url } from '../base64url.ts'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { parseUniqueJson } from './json.ts'

export interface Jws {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  /** What the signature is over. */
  readonly signed: Buffer
  readonly signature: Buffer
}

interface Algorithm {
  readonly hash: string
  readonly type: 'rsa' | 'ec'
  /** As OpenSSL names it: RFC 7518 ties each hash to one curve. */
  readonly curve?: string
  readonly isPss?: boolean
}

/** Asymmetric ones alone: with an HMAC the public key would be the secret. */
const algorithms: ReadonlyMap<unknown, Algorithm> = new Map<unknown, Algorithm>([
  ['RS256', { hash: 'sha256', type: 'rsa' }],
  ['RS384', { hash: 'sha384', type: 'rsa' }],
  ['RS512', { hash: 'sha512', type: 'rsa' }],
  ['PS256', { hash: 'sha256', type: 'rsa', isPss: true }],
  ['PS384', { hash: 'sha384', type: 'rsa', isPss: true }],
  ['PS512', { hash: 'sha512', type: 'rsa', isPss: true }],
  ['ES256', { hash: 'sha256', type: 'ec', curve: 'prime256v1' }],
  ['ES384', { hash: 'sha384', type: 'ec', curve: 'secp384r1' }],
  ['ES512', { hash: 'sha512', type: 'ec', curve: 'secp521r1' }],
])

const charactersMax = 16 * 1024

/** Refuses what is oversize, not three segments of canonical base64url, or whose JSON repeats a name. */
export function parseJws(token: string): Jws {
  if (token.length > charactersMax)
    throw new Refusal('ERR_JWS_OVERSIZE', `token: over ${charactersMax} characters`)
  const [header, claims, signature, ...more] = token.split('.')
  if (!header || !claims || !signature || more.length > 0)
    throw new Refusal('ERR_JWS_ILLEGAL', 'illegal token: not three segments')
  return {
    header: readObject(header, 'header'),
    claims: readObject(claims, 'claims'),
    signed: Buffer.from(`${header}.${claims}`),
    signature: readSegment(signature, 'signature'),
  }
}

/** Refuses an algorithm that is not known, a key of another kind, and a wrong signature. */
export function verifyJws({ header, signed, signature }: Jws, key: KeyObject): void {
  const algorithm = requireAlgorithm(header)
  if (!fits(key, algorithm))
    throw new Refusal(
      'ERR_JWS_KEY',
      `token: key is not of algorithm ${quote(JSON.stringify(header['alg']) ?? 'none')}`,
    )
  const { hash, isPss = false } = algorithm
  const padding = isPss ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const options = {
    key,
    ...(algorithm.type === 'ec'
      ? { dsaEncoding: 'ieee-p1363' as const }
      : { padding, ...(isPss && { saltLength: constants.RSA_PSS_SALTLEN_DIGEST }) }),
  }
  if (!verify(hash, signed, options, signature))
    throw new Refusal('ERR_JWS_SIGNATURE', 'token: signature is wrong')
}

export function requireAlgorithm(header: Jws['header']): Algorithm {
  const algorithm = algorithms.get(header['alg'])
  if (algorithm === undefined)
    throw new Refusal(
      'ERR_JWS_ALGORITHM',
      `token: algorithm ${quote(JSON.stringify(header['alg']) ?? 'none')}`,
    )
  return algorithm
}

function fits(key: KeyObject, { type, curve }: Algorithm): boolean {
  const { namedCurve } = key.asymmetricKeyDetails ?? {}
  return key.type === 'public' && key.asymmetricKeyType === type && namedCurve === curve
}

function readObject(segment: string, what: string): Readonly<Record<string, unknown>> {
  const text = readSegment(segment, what).toString()
  const value = parseUniqueJson(text, { what: `token ${what}`, code: 'ERR_JWS_ILLEGAL' })
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('ERR_JWS_ILLEGAL', `illegal token ${what}: not an object`)
  return value as Record<string, unknown>
}

function readSegment(segment: string, what: string): Buffer {
  const bytes = decodeBase64url(segment)
  if (bytes === undefined)
    throw new Refusal('ERR_JWS_ILLEGAL', `illegal token ${what}: not base64url`)
  return bytes
}
