// The record of issuance: one line of JSON for each leaf, written before the leaf is handed out. By it
// a live peer's certificate digest is led back to who it was made for; what is in no line is not ours.
import { hash } from 'node:crypto'
import * as z from 'zod'
import { Refusal } from '../errors.ts'
import { parseJson } from '../parse-json.ts'
import { authorityKinds, type AuthorityKind } from './authority.ts'
import { nameOf, type Certificate } from './certificate.ts'
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts'
import { requireSvid } from './svid.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const time = z.iso.datetime()
const line = z.strictObject({
  kind: z.enum(authorityKinds),
  /** Not of a public certificate. */
  id: z.string().optional(),
  /** The process, or whoever else has its key: `ams3-0`. */
  holder: z.string().regex(/^[A-Za-z0-9._-]{1,255}$/),
  /** In hexadecimal, as the digests are. */
  serial: z.string().regex(/^[0-9a-f]+$/),
  /** Of the certificate in DER: `cert_sha256` of nats-server's CONNZ. */
  sha256: digest,
  /** Of its public key: `spki_sha256` there. */
  spkiSha256: digest,
  notBefore: time,
  notAfter: time,
})

export type Issued = Omit<z.infer<typeof line>, 'id'> & { readonly id?: SpiffeId }

export interface Recorded extends Issued {
  /** In whose home it stands. */
  readonly region: string
}

/** Refuses an identity that is no SVID, and a public certificate with a URI: neither is to be handed out. */
export function describeIssued(
  certificate: Certificate,
  { kind, holder }: { readonly kind: AuthorityKind; readonly holder: string },
): Issued {
  const { der, spki, serial, notBeforeMs, notAfterMs, names } = certificate
  if (kind === 'public' && names.uris.length > 0)
    throw new Refusal('ERR_PEER_PUBLIC_ID', `a public certificate with ${nameOf(certificate)}`)
  return {
    kind,
    ...(kind === 'identity' && { id: requireSvid(certificate) }),
    ...{ holder, serial },
    sha256: hash('sha256', der),
    spkiSha256: hash('sha256', spki),
    notBefore: new Date(notBeforeMs).toISOString(),
    notAfter: new Date(notAfterMs).toISOString(),
  }
}

/** Without a line break. Refuses what parseIssued would: such a line stops who looks for another. */
export function formatIssued(issued: Issued): string {
  const text = JSON.stringify(issued)
  parseIssued(text)
  return text
}

/** Refuses what formatIssued did not write. */
export function parseIssued(text: string): Issued {
  const what = 'line of issuance'
  const { id, ...rest } = parseJson(text, line, { what, code: 'ERR_ISSUED_ILLEGAL' })
  if ((id === undefined) !== (rest.kind === 'public'))
    throw new Refusal('ERR_ISSUED_ILLEGAL', `illegal ${what}: ${rest.kind} and id do not fit`)
  return { ...rest, ...(id !== undefined && { id: parseSpiffeId(id) }) }
}
