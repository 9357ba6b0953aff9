// What a running process may show in place of what it shows.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { formatTime, thisClock } from '../time.ts'
import { nameOf, parseCertificates, type Certificate } from './certificate.ts'
import { verifyChain } from './chain.ts'
import { purposeId } from './extensions.ts'
import type { SpiffeId } from './spiffe-id.ts'
import { requireSvid } from './svid.ts'

/** PEM. */
export interface KeyAndCertificate {
  /** The leaf, and what leads from it to an authority. */
  readonly certificate: string
  readonly key: string
}
export interface Succession {
  /** One of which must have signed it. */
  readonly authorities: readonly Certificate[]
  /** Whose certificate it is; without it a public server's. */
  readonly id?: SpiffeId | undefined
  readonly nowMs: number
}

/**
 * The leaf. Refuses what is not of these authorities, of another name or key, or already over: by our
 * own clock to the second, for who shows it cannot rely on the patience of whoever reads it.
 */
export function requireSuccessor(
  { certificate, key }: KeyAndCertificate,
  { authorities, id, nowMs }: Succession,
): Certificate {
  const chain = parseCertificates(certificate)
  const leaf = chain[0] as Certificate
  if (!leaf.openssl.checkPrivateKey(parseKey(key)))
    throw new Refusal('ERR_CERTIFICATE_OTHER_KEY', `certificate ${nameOf(leaf)}: of another key`)
  requireLeft(leaf, nowMs)
  if (id === undefined) requireServer(leaf)
  else requireId(leaf, id)
  const purposes = id === undefined ? serving : mutual
  verifyChain(chain, authorities, { nowMs, purposes })
  return leaf
}

const serving = ['serverAuth'] as const
const mutual = ['serverAuth', 'clientAuth'] as const

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // The cause stays behind: nobody knows how much of the key it would quote.
    throw new Refusal('ERR_CERTIFICATE_OTHER_KEY', 'illegal private key: OpenSSL refuses it')
  }
}

function requireLeft(leaf: Certificate, nowMs: number): void {
  if (nowMs >= leaf.notAfterMs)
    throw new Refusal(
      'ERR_CERTIFICATE_EXPIRED',
      `certificate ${nameOf(leaf)}: ended ${formatTime(leaf.notAfterMs)}, ${thisClock(nowMs)}`,
    )
}

function requireServer(leaf: Certificate): void {
  const { extendedKeyUsage } = leaf
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.includes(purposeId.serverAuth))
    throw new Refusal('ERR_CHAIN_PURPOSE', `certificate ${nameOf(leaf)}: not for serverAuth`)
}

function requireId(leaf: Certificate, id: SpiffeId): void {
  const found = requireSvid(leaf)
  if (found !== id)
    throw new Refusal('ERR_CERTIFICATE_OTHER_ID', `certificate is of ${found}, not ${id}`)
}
