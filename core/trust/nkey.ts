// nkeys: Ed25519 keys in NATS' text form (github.com/nats-io/nkeys), on node:crypto. The peers'
// pure JavaScript signs some 500 times slower (docs/adr/0001-nats-packages.md).
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { importPublicKey } from '../public-key.ts'
import { decodeBase32, encodeBase32 } from './base32.ts'

const prefixes = { operator: 14 << 3, account: 0, user: 20 << 3, server: 13 << 3 } as const
const seedPrefix = 18 << 3
const keyBytes = 32
// DER up to the raw key, RFC 8410: PrivateKeyInfo of id-Ed25519.
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export type NkeyRole = keyof typeof prefixes
/** The public half: what travels. `O…`, `A…`, `U…` or `N…`, 56 characters. */
export type Nkey<R extends NkeyRole = NkeyRole> = string & { readonly nkey: R }
export interface NkeyPair<R extends NkeyRole = NkeyRole> {
  readonly publicKey: Nkey<R>
  readonly privateKey: KeyObject
  /** `S…`: secret, and never part of an error or a log line. */
  readonly seed: string
}

/** Makes a key pair of 32 random bytes that the caller brings. */
export function nkeyPairFrom<R extends NkeyRole>(role: R, entropy: Uint8Array): NkeyPair<R> {
  if (entropy.length !== keyBytes) throw new RangeError(`nkey entropy: ${entropy.length} bytes`)
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8, entropy]),
    format: 'der',
    type: 'pkcs8',
  })
  // As JWK, which Node 24 writes in 1 µs, and DER in 30.
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const d = Buffer.from(entropy).toString('base64url')
  return { ...nkeyTextsFrom(role, { d, x }), privateKey }
}

/** The two texts of an Ed25519 key whose halves are given as in JWK: `d` and `x` of RFC 8037. */
export function nkeyTextsFrom<R extends NkeyRole>(
  role: R,
  { d, x }: { readonly d: string; readonly x: string },
): Pick<NkeyPair<R>, 'publicKey' | 'seed'> {
  const publicKey = encode([prefixes[role]], Buffer.from(x, 'base64url')) as Nkey<R>
  return { publicKey, seed: encode(seedHeader(role), Buffer.from(d, 'base64url')) }
}

/** Refuses every text that is not the seed of a key of this role, without repeating it. */
export function parseSeed<R extends NkeyRole>(role: R, text: string): NkeyPair<R> {
  const header = seedHeader(role)
  const entropy = decode(text, header.length)
  if (entropy?.header[0] !== header[0] || entropy.header[1] !== header[1])
    throw new Refusal('ERR_SEED_ILLEGAL', `illegal ${role} seed: ${text.length} characters`)
  return nkeyPairFrom(role, entropy.key)
}

/** Refuses every text that is not the public key of this role, checksum included. */
export function parseNkey<R extends NkeyRole>(role: R, text: string): Nkey<R> {
  if (!isNkey(role, text))
    throw new Refusal('ERR_NKEY_ILLEGAL', `illegal ${role} key: '${text.slice(0, 64)}'`)
  return text
}

export function isNkey<R extends NkeyRole>(role: R, text: string): text is Nkey<R> {
  return decode(text, 1)?.header[0] === prefixes[role]
}

/** Ed25519 signature, 64 bytes. */
export function signWith(pair: NkeyPair, data: Uint8Array): Uint8Array {
  return sign(null, data, pair.privateKey)
}

/** Whether the signature over the data was made by the holder of the key. */
export function isSignedBy(key: Nkey, data: Uint8Array, signature: Uint8Array): boolean {
  const raw = decode(key, 1)
  if (raw === undefined || signature.length !== 64) return false
  return verify(null, data, importPublicKey('Ed25519', raw.key), signature)
}

/** The same, found out by a thread of Node's pool: while it does, others can be answered. */
export function isSignedByAsync(
  key: Nkey,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const raw = decode(key, 1)
  if (raw === undefined || signature.length !== 64) return Promise.resolve(false)
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  verify(null, data, importPublicKey('Ed25519', raw.key), signature, (error, isSigned) => {
    if (error === null) resolve(isSigned)
    else reject(error)
  })
  return promise
}

function seedHeader(role: NkeyRole): [number, number] {
  return [seedPrefix | (prefixes[role] >> 5), (prefixes[role] & 31) << 3]
}

function encode(header: readonly number[], key: Uint8Array): string {
  const body = Buffer.concat([Uint8Array.from(header), key])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE(crc16(body))
  return encodeBase32(Buffer.concat([body, checksum]))
}

function decode(
  text: string,
  headerBytes: number,
): { header: Uint8Array; key: Uint8Array } | undefined {
  if (text.length > 64) return undefined
  const bytes = decodeBase32(text)
  if (bytes?.length !== headerBytes + keyBytes + 2) return undefined
  const body = bytes.subarray(0, -2)
  if (Buffer.from(bytes).readUInt16LE(body.length) !== crc16(body)) return undefined
  return { header: body.subarray(0, headerBytes), key: body.subarray(headerBytes) }
}

/** CRC-16/XMODEM, the checksum of nkeys. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (crcTable[(crc >>> 8) ^ byte] as number)
  return crc
}

const crcTable = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})
