import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import {
  nkeyPairFrom,
  nkeyTextsFrom,
  parseSeed,
  type NkeyPair,
  type NkeyRole,
} from '../core/trust/nkey.ts'
import type { Files } from './files.ts'

export function makeNkeyPair<R extends NkeyRole>(role: R): NkeyPair<R> {
  return nkeyPairFrom(role, randomBytes(32))
}

/** A key that somebody else is going to use: half as dear as one that signs here. */
export function makeNkeyTexts<R extends NkeyRole>(role: R): ReturnType<typeof nkeyTextsFrom<R>> {
  // The types of Node do not know that keys may be encoded as JWK while they are made.
  const jwk = { format: 'jwk' }
  const options: object = { publicKeyEncoding: jwk, privateKeyEncoding: jwk }
  const { privateKey } = generateKeyPairSync('ed25519', options) as unknown as { privateKey: Jwk }
  return nkeyTextsFrom(role, privateKey)
}

interface Jwk {
  readonly d: string
  readonly x: string
}

/** The key of this file, made now if there is none yet. */
export function readOrMakeKey<R extends NkeyRole>(
  files: Files,
  role: R,
  path: string,
): NkeyPair<R> {
  const found = readKey(files, role, path)
  if (found !== undefined) return found
  const made = makeNkeyPair(role)
  writeKey(files, path, made)
  return made
}

export function readKey<R extends NkeyRole>(
  files: Files,
  role: R,
  path: string,
): NkeyPair<R> | undefined {
  const seed = files.read(path)
  if (seed === undefined) return undefined
  try {
    return parseSeed(role, seed.trim())
  } catch (cause) {
    throw new Refusal('ERR_SEED_ILLEGAL', `${path}: ${(cause as Error).message}`, { cause })
  }
}

/** Refuses where the key is not at home here. */
export function requireKey<R extends NkeyRole>(files: Files, role: R, path: string): NkeyPair<R> {
  const pair = readKey(files, role, path)
  if (pair === undefined) throw new Refusal('ERR_KEY_NOT_HERE', `no ${role} key at ${path}`)
  return pair
}

export function writeKey(files: Files, path: string, pair: NkeyPair): void {
  files.write(path, `${pair.seed}\n`)
}
