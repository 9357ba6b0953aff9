// X25519 keys (RFC 7748): the public half as text for the wire, the private half as a handle.
// Every seal needs a fresh key (RFC 9180 section 4.1, Encap), so this randomness is not an argument.
// oxlint-disable-next-line no-restricted-imports
import { type KeyObject, generateKeyPair, generateKeyPairSync } from 'node:crypto'
import { decodeBase64url } from '../base64url.ts'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'

/** The 32 bytes of a public key in base64url. */
export type CurveKey = string & { readonly brand: 'CurveKey' }

export interface CurveKeyPair {
  readonly publicKey: CurveKey
  readonly privateKey: KeyObject
}

/**
 * Refuses whatever has a second spelling (base64url, or a coordinate from p = 2^255 - 19 on), and
 * the points of low order, with which every private key agrees on the same secret.
 */
export function parseCurveKey(text: string): CurveKey {
  const bytes = decodeBase64url(text)
  if (bytes?.length !== 32) {
    const message = `curve key is not 32 bytes of base64url: ${quote(text)}`
    throw new Refusal('ERR_CURVE_ILLEGAL', message)
  }
  const coordinate = BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)
  if (coordinate >= p) {
    throw new Refusal('ERR_CURVE_ILLEGAL', `curve key is not below 2^255 - 19: ${text}`)
  }
  if (lowOrder.has(coordinate)) {
    throw new Refusal('ERR_CURVE_ILLEGAL', `curve key is a point of low order: ${text}`)
  }
  return text as CurveKey
}

export function isCurveKey(text: string): text is CurveKey {
  try {
    return parseCurveKey(text) === text
  } catch {
    return false
  }
}

const p = 2n ** 255n - 19n

// The points of order 1, 2, 4 and 8 on curve and twist (https://cr.yp.to/ecdh.html#validate).
const lowOrder: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  p - 1n,
  0xb8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0n,
  0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5fn,
])

// Encoded while it is made: to export a key object afterwards can deadlock (Node 20), and takes
// longer. The types of Node do not know that one half alone may be encoded.
const encoding: object = { publicKeyEncoding: { format: 'jwk' } }

export function generateCurveKeyPair(): CurveKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('x25519', encoding)
  return curveKeyPairOf(publicKey, privateKey)
}

/** The same, made by a thread of Node's pool. */
export function generateCurveKeyPairAsync(): Promise<CurveKeyPair> {
  const { promise, resolve, reject } = Promise.withResolvers<CurveKeyPair>()
  generateKeyPair('x25519', encoding, (error, publicKey, privateKey) => {
    if (error === null) resolve(curveKeyPairOf(publicKey, privateKey))
    else reject(error)
  })
  return promise
}

function curveKeyPairOf(encoded: unknown, privateKey: KeyObject): CurveKeyPair {
  const { x: publicKey } = encoded as { x: CurveKey }
  return { publicKey, privateKey }
}
