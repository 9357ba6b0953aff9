import { createPublicKey, type KeyObject } from 'node:crypto'

const rawBytes = 32
// What stands before the raw key in DER (RFC 8410): twelve bytes, so its base64 ends with them.
const heads = { Ed25519: 'MCowBQYDK2VwAyEA', X25519: 'MCowBQYDK2VuAyEA' } as const

/**
 * The public key of these 32 bytes. As text, for Node 24.20 finds out by exceptions whether anything
 * else is a key object: PEM takes 9 µs, JWK and DER 22 to 27.
 */
export function importPublicKey(curve: keyof typeof heads, raw: Uint8Array): KeyObject {
  if (raw.length !== rawBytes) throw new RangeError(`raw ${curve} key: ${raw.length} bytes`)
  const der = `${heads[curve]}${Buffer.from(raw).toString('base64')}`
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----`)
}
