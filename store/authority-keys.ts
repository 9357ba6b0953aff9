// Private keys of certificate authorities, P-256 in PKCS #8, at rest either plain, where only their
// owner reads, or encrypted with a passphrase as an armored age file (`age -d` opens it, too).
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { armor } from 'age-encryption'
import { Refusal } from '../core/errors.ts'
import { decrypt, encrypt } from './age.ts'
import type { Files } from './files.ts'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const makeAuthorityKey = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Text for a file; with a passphrase it is worthless without that. */
export async function formatAuthorityKey(
  { privateKey }: KeyPair,
  { passphrase, logN }: { passphrase?: string | undefined; logN?: number } = {},
): Promise<string> {
  const pem = formatPrivateKey(privateKey)
  if (passphrase === undefined) return pem
  const limits = logN === undefined ? {} : { logN }
  return armor.encode(await encrypt(Buffer.from(pem), passphrase, limits))
}

export const formatPrivateKey = (key: KeyObject): string =>
  key.export({ format: 'pem', type: 'pkcs8' }).toString()

/** Undefined where there is no such file; refuses one that is no key, or encrypted and not to be opened. */
export async function readAuthorityKey(
  files: Files,
  path: string,
  passphrase?: () => Promise<string>,
): Promise<KeyPair | undefined> {
  const text = files.read(path)
  if (text === undefined) return undefined
  if (!isEncrypted(text)) return parseKey(text, path)
  if (passphrase === undefined)
    throw new Refusal('ERR_PASSPHRASE_MISSING', `needs a passphrase: ${path}`)
  const pem = await decrypt(armor.decode(text), await passphrase())
  return parseKey(Buffer.from(pem).toString(), path)
}

export const isEncrypted = (text: string) => text.startsWith('-----BEGIN AGE ENCRYPTED FILE-----')

/** A key of a plain file. */
export function readPlainKey(files: Files, path: string): KeyPair | undefined {
  const text = files.read(path)
  return text === undefined ? undefined : parseKey(text, path)
}

function parseKey(pem: string, path: string): KeyPair {
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1')
      return { privateKey, publicKey: createPublicKey(privateKey) }
  } catch {
    // Refused below; the cause could hold a part of the key.
  }
  throw new Refusal('ERR_AUTHORITY_KEY', `not a private key on P-256: ${path}`)
}
