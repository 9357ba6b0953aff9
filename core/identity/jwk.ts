// Public keys as JSON Web Keys (RFC 7517), as far as a signature of a JWT-SVID may use them.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { Refusal } from '../errors.ts'

const rsaBitsMin = 2048
/** FIPS 186-5 section A.1.1. With 1, which OpenSSL takes, anybody can write a signature. */
const rsaExponentMin = 65_537n
const curves: readonly unknown[] = ['P-256', 'P-384', 'P-521']

/** Undefined for a kind of key that is not used here; refuses a known one that is broken, weak or private. */
export function parseJwk(jwk: object): KeyObject | undefined {
  const { kty, crv, d } = jwk as { kty?: unknown; crv?: unknown; d?: unknown }
  const isKnown = kty === 'RSA' || (kty === 'EC' && curves.includes(crv))
  if (!isKnown) return undefined
  if (d !== undefined) throw new Refusal('ERR_JWK_PRIVATE', 'illegal JWK: a private key')
  const key = importKey(jwk)
  requireStrong(key)
  return key
}

function requireStrong({ asymmetricKeyDetails: details = {} }: KeyObject): void {
  const { modulusLength: bits = rsaBitsMin, publicExponent = rsaExponentMin } = details
  if (bits < rsaBitsMin)
    throw new Refusal('ERR_JWK_ILLEGAL', `illegal JWK: RSA of ${bits} bits, ${rsaBitsMin} at least`)
  if (publicExponent < rsaExponentMin || publicExponent % 2n === 0n)
    throw new Refusal('ERR_JWK_ILLEGAL', `illegal JWK: RSA with the exponent ${publicExponent}`)
}

function importKey(jwk: object): KeyObject {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' })
  } catch (cause) {
    throw new Refusal('ERR_JWK_ILLEGAL', 'illegal JWK: not a public key', { cause })
  }
}

export function formatJwk(key: KeyObject): Record<string, string> {
  return key.export({ format: 'jwk' }) as Record<string, string>
}
