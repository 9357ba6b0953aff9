import { createHash } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'

/** The same for the same message heard twice: a digest of all that a publisher chose. */
export function fingerprint(hearing: number, { subject, reply, headers, data }: Msg): string {
  const head = JSON.stringify([hearing, subject, reply, headers && [...headers]])
  return createHash('sha256').update(`${head}\n`).update(data).digest('base64url')
}
