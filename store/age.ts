// Encryption with a passphrase in the format of age (age-encryption.org/v1): scrypt with N = 2^18, then
// ChaCha20-Poly1305 in chunks. `age -d` opens the files, too.
import { Decrypter, Encrypter } from 'age-encryption'
import { Refusal } from '../core/errors.ts'

const workFactor = 18

/** Each try of a passphrase takes 2^logN steps; tests take fewer. */
export async function encrypt(
  plaintext: Uint8Array,
  passphrase: string,
  { logN = workFactor } = {},
): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.setScryptWorkFactor(logN)
  encrypter.setPassphrase(passphrase)
  return encrypter.encrypt(plaintext)
}

/** Refuses a wrong passphrase, and a file of which one bit is changed or missing. */
export async function decrypt(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return await decrypter.decrypt(file)
  } catch (cause) {
    const reason = (cause as Error).message
    if (reason.startsWith('no identity matched'))
      throw new Refusal('ERR_PASSPHRASE_WRONG', 'wrong passphrase', { cause })
    throw new Refusal('ERR_BACKUP_ILLEGAL', `not a whole age file: ${reason}`, { cause })
  }
}
