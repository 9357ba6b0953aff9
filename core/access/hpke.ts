// Hybrid Public Key Encryption (RFC 9180): base mode, one message for one fresh ephemeral key, one
// suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. Names are those of the RFC.
import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto'
import { Refusal } from '../errors.ts'
import { importPublicKey } from '../public-key.ts'
import { type CurveKey, type CurveKeyPair, generateCurveKeyPair } from './curve-key.ts'

export interface Message {
  /** What the key is for; both sides must give the same. */
  readonly info: Uint8Array
  /** What the message is bound to; both sides must give the same. */
  readonly aad: Uint8Array
}

const encBytes = 32
const tagBytes = 16

/** The ephemeral public key (enc, 32 bytes), the ciphertext and its tag (16 bytes), in this order. */
export function seal(recipient: CurveKey, message: Message & { plaintext: Uint8Array }): Buffer {
  return sealFrom(generateCurveKeyPair(), recipient, message)
}

/** For test vectors. An ephemeral key that is used twice betrays what both messages say. */
export function sealFrom(
  ephemeral: CurveKeyPair,
  recipient: CurveKey,
  { info, aad, plaintext }: Message & { plaintext: Uint8Array },
): Buffer {
  const enc = Buffer.from(ephemeral.publicKey, 'base64url')
  const secret = agree(Buffer.from(recipient, 'base64url'), ephemeral.privateKey)
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
  const enc = sealed.subarray(0, encBytes)
  const ciphertext = sealed.subarray(encBytes, -tagBytes)
  try {
    const secret = agree(enc, privateKey)
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
function agree(raw: Uint8Array, privateKey: KeyObject): Buffer {
  const secret = diffieHellman({ publicKey: importPublicKey('X25519', raw), privateKey })
  if (secret.equals(allZeros)) throw new RangeError('point of low order')
  return secret
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
  const secret = sharedSecret(dh, Buffer.concat([enc, Buffer.from(recipient, 'base64url')]))
  const context = Buffer.concat([modeBase, pskIdHash, labeledExtract('info_hash', info)])
  const derive = (label: string, length: number) => {
    const ikm = labeledIkm(hpkeSuite, 'secret', empty)
    return hkdf(ikm, secret, { info: labeledInfo(hpkeSuite, label, context, length), length })
  }
  return { key: createSecretKey(derive('key', 16)), nonce: derive('base_nonce', 12) }
}

/** ExtractAndExpand (section 4.1). */
function sharedSecret(dh: Uint8Array, kemContext: Uint8Array): Buffer {
  const info = labeledInfo(kemSuite, 'shared_secret', kemContext, 32)
  return hkdf(labeledIkm(kemSuite, 'eae_prk', dh), empty, { info, length: 32 })
}

const empty = Buffer.alloc(0)
const noSalt = createSecretKey(empty)
const version = Buffer.from('HPKE-v1')
const modeBase = Buffer.of(0)
const kemSuite = Buffer.from('KEM\x00\x20', 'latin1')
const hpkeSuite = Buffer.from('HPKE\x00\x20\x00\x01\x00\x01', 'latin1')

/** LabeledExtract, then LabeledExpand (section 4), which are the two halves of HKDF. */
function hkdf(
  ikm: Uint8Array,
  salt: Uint8Array,
  { info, length }: { info: Uint8Array; length: number },
): Buffer {
  return Buffer.from(hkdfSync('sha256', createSecretKey(ikm), salt, info, length))
}

function labeledIkm(suite: Buffer, label: string, ikm: Uint8Array): Buffer {
  return Buffer.concat([version, suite, Buffer.from(label), ikm])
}

function labeledInfo(suite: Buffer, label: string, info: Uint8Array, length: number): Buffer {
  return Buffer.concat([Buffer.of(0, length), version, suite, Buffer.from(label), info])
}

function labeledExtract(label: string, ikm: Uint8Array): Buffer {
  return createHmac('sha256', noSalt)
    .update(labeledIkm(hpkeSuite, label, ikm))
    .digest()
}

const pskIdHash = labeledExtract('psk_id_hash', empty)
