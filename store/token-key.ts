// The key that opens what is sealed to a region's function: an X25519 key in PKCS#8, of the region's home.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { parseCurveKey, type CurveKeyPair } from '../core/access/curve-key.ts'
import { Refusal } from '../core/errors.ts'
import type { Files } from './files.ts'

export function readOrMakeTokenKey(files: Files, path: string): CurveKeyPair {
  if (files.read(path) === undefined) files.write(path, makePem())
  return requireTokenKey(files, path)
}

/** Refuses where the key is not at home here. */
export function requireTokenKey(files: Files, path: string): CurveKeyPair {
  const pem = files.read(path)
  if (pem === undefined)
    throw new Refusal('ERR_KEY_NOT_HERE', `no key for sealed tokens at ${path}`)
  try {
    const privateKey = createPrivateKey(pem)
    const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
    return { publicKey: parseCurveKey(x), privateKey }
  } catch {
    // The parser's own error might repeat what it read.
    throw new Refusal('ERR_STORE_UNREADABLE', `not a key for sealed tokens: ${path}`)
  }
}

function makePem(): string {
  const { privateKey } = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return privateKey
}
