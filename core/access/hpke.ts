// Hybrid Public Key Encryption (RFC 9180): base mode, one message for one fresh ephemeral key, one
// suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. Names are those of the RFC.
import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  diffieHellman,
} from 'node:crypto'
import { Refusal } from '../errors.ts'
import { importPublicKey } from '../public-key.ts'
import {
  type CurveKey,
  type CurveKeyPair,
  generateCurveKeyPair,
  generateCurveKeyPairAsync,
} from './curve-key.ts'

export interface Message {
  /** What the key is for; both sides must give the same. */
  readonly info: Uint8Array
  /** What the message is bound to; both sides must give the same. */
  readonly aad: Uint8Array
}

const encBytes = 32
const tagBytes = 16

/** The secret that an ephemeral key agreed on with the recipient. */
export interface Encapsulated {
  /** The ephemeral public key, 32 bytes. */
  readonly enc: Buffer
  readonly recipient: CurveKey
  readonly secret: Buffer
}

/** The ephemeral public key (enc, 32 bytes), the ciphertext and its tag (16 bytes), in this order. */
export function seal(recipient: CurveKey, message: Message & { plaintext: Uint8Array }): Buffer {
  return sealWith(encapsulateNow(recipient), message)
}

/** Encap (section 4.1). */
export function encapsulateNow(recipient: CurveKey): Encapsulated {
  return encapsulateFrom(generateCurveKeyPair(), recipient)
}

/** The same by threads of Node's pool: while they work, others can be answered. */
export async function encapsulate(recipient: CurveKey): Promise<Encapsulated> {
  const ephemeral = await generateCurveKeyPairAsync()
  const enc = Buffer.from(ephemeral.publicKey, 'base64url')
  return { enc, recipient, secret: await agreeAsync(recipient, ephemeral.privateKey) }
}

/** For test vectors: an ephemeral key that is used twice betrays what both messages say. */
export function encapsulateFrom(ephemeral: CurveKeyPair, recipient: CurveKey): Encapsulated {
  const enc = Buffer.from(ephemeral.publicKey, 'base64url')
  return { enc, recipient, secret: agree(recipient, ephemeral.privateKey) }
}

/** One message for one encapsulation: a second one would take the same key and nonce. */
export function sealWith(
  { enc, recipient, secret }: Encapsulated,
  { info, aad, plaintext }: Message & { plaintext: Uint8Array },
): Buffer {
  const { key, nonce } = schedule(secret, { enc, recipient, info })
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(aad)
  return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** Refuses, without a reason that would help a forger, all that `seal` did not make for this key. */
export function open(
  { publicKey, privateKey }: CurveKeyPair,
  { info, aad, sealed }: Message & { sealed: Uint8Array },
): Buffer {
  if (sealed.length < encBytes + tagBytes) {
    throw new Refusal('ERR_SEALED_ILLEGAL', `sealed message is too short: ${sealed.length} bytes`)
  }
  const enc = Buffer.from(sealed.subarray(0, encBytes))
  const ciphertext = sealed.subarray(encBytes, -tagBytes)
  try {
    const secret = agree(enc.toString('base64url') as CurveKey, privateKey)
    const { key, nonce } = schedule(secret, { enc, recipient: publicKey, info })
    const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(aad).setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch (cause) {
    const message = `sealed message does not open with the key ${publicKey}`
    throw new Refusal('ERR_SEALED_ILLEGAL', message, { cause })
  }
}

/** Section 4.1, DH, and the check of 7.1.4. */
function agree(theirs: CurveKey, privateKey: KeyObject): Buffer {
  return requireHighOrder(diffieHellman({ publicKey: importCurveKey(theirs), privateKey }))
}

function agreeAsync(theirs: CurveKey, privateKey: KeyObject): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  diffieHellman({ publicKey: importCurveKey(theirs), privateKey }, (error, secret) => {
    if (error === null) resolve(secret)
    else reject(error)
  })
  return promise.then(requireHighOrder)
}

function requireHighOrder(secret: Buffer): Buffer {
  if (secret.equals(allZeros)) throw new RangeError('point of low order')
  return secret
}

function importCurveKey(key: CurveKey): KeyObject {
  return importPublicKey('X25519', Buffer.from(key, 'base64url'))
}

const allZeros = Buffer.alloc(32)

/**
 * KeySchedule (section 5.1). A key seals one message, so its nonce is the base nonce. Secrets are handed
 * to Node as key objects: whether bytes are one it finds out by exceptions, at 7 µs (Node 24.20).
 */
function schedule(
  dh: Uint8Array,
  { enc, recipient, info }: { enc: Uint8Array; recipient: CurveKey; info: Uint8Array },
) {
  const shared = sharedSecret(dh, Buffer.concat([enc, Buffer.from(recipient, 'base64url')]))
  const infoHash = labeledExtract(hpkeSuite, noSalt, 'info_hash', info)
  const context = Buffer.concat([modeBase, pskIdHash, infoHash])
  const secret = createSecretKey(
    labeledExtract(hpkeSuite, createSecretKey(shared), 'secret', empty),
  )
  return {
    key: createSecretKey(labeledExpand(hpkeSuite, secret, 'key', context, 16)),
    nonce: labeledExpand(hpkeSuite, secret, 'base_nonce', context, 12),
  }
}

/** ExtractAndExpand (section 4.1). */
function sharedSecret(dh: Uint8Array, kemContext: Uint8Array): Buffer {
  const pseudorandom = createSecretKey(labeledExtract(kemSuite, noSalt, 'eae_prk', dh))
  return labeledExpand(kemSuite, pseudorandom, 'shared_secret', kemContext, 32)
}

const empty = Buffer.alloc(0)
const noSalt = createSecretKey(empty)
const version = Buffer.from('HPKE-v1')
const modeBase = Buffer.of(0)
const kemSuite = Buffer.from('KEM\x00\x20', 'latin1')
const hpkeSuite = Buffer.from('HPKE\x00\x20\x00\x01\x00\x01', 'latin1')

/** Section 4. HMAC, since hkdfSync would extract once more for each expansion, at twice the time. */
function labeledExtract(suite: Buffer, salt: KeyObject, label: string, ikm: Uint8Array): Buffer {
  const labeled = Buffer.concat([version, suite, Buffer.from(label), ikm])
  return createHmac('sha256', salt).update(labeled).digest()
}

/** Section 4, for what fits into one block of the hash: 32 bytes. */
function labeledExpand(
  suite: Buffer,
  pseudorandom: KeyObject,
  label: string,
  info: Uint8Array,
  length: number,
): Buffer {
  const labeled = [Buffer.of(0, length), version, suite, Buffer.from(label), info, Buffer.of(1)]
  const block = createHmac('sha256', pseudorandom).update(Buffer.concat(labeled)).digest()
  return block.subarray(0, length)
}

const pskIdHash = labeledExtract(hpkeSuite, noSalt, 'psk_id_hash', empty)
