// The other side of sealing, as the controller does it.
import { constants, createDecipheriv, privateDecrypt, type KeyObject } from 'node:crypto'

export function unseal(key: KeyObject, sealed: string, label: string): string {
  const bytes = Buffer.from(sealed, 'base64')
  const end = 2 + bytes.readUInt16BE(0)
  const session = privateDecrypt(
    {
      key,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: 'sha256',
      oaepLabel: Buffer.from(label),
    },
    bytes.subarray(2, end),
  )
  const decipher = createDecipheriv('aes-256-gcm', session, Buffer.alloc(12))
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(end, -16)), decipher.final()]).toString()
}
