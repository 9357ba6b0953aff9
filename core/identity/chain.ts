// The way from a certificate to an authority that somebody trusts (RFC 5280 section 6), for chains as
// TLS sends them: each certificate is followed by its issuer. Anchors are held to the same rules as
// what lies below them: a region's intermediate is an anchor, and its constraints are the point of it.
import { Refusal, type RefusalCode } from '../errors.ts'
import { formatTime, thisClock } from '../time.ts'
import { nameOf, type Certificate } from './certificate.ts'
import { extensionId, purposeId, type Purpose } from './extensions.ts'
import { requirePermitted } from './name-constraints.ts'

export interface ChainContext {
  readonly nowMs: number
  /** What the certificate is used for; its issuers must allow it where they limit purposes. */
  readonly purposes: readonly Purpose[]
}

export const skewMs = 60_000
const certificatesMax = 4

/**
 * The path, from the leaf to the anchor. Says nothing about what the leaf itself must be. What was sent
 * after the anchor (a root above an intermediate) is not looked at.
 */
export function verifyChain(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
  context: ChainContext,
): Certificate[] {
  const [leaf] = chain
  if (leaf === undefined) throw new Refusal('ERR_CHAIN_EMPTY', 'no certificate was shown')
  requireShort(chain)
  requireValidNow(leaf, context.nowMs)
  const refusals: Refusal[] = []
  for (const path of pathsTo(anchors, chain)) {
    const refusal = refusalOf(path, context)
    if (refusal === undefined) return path
    refusals.push(refusal)
  }
  // Of several ways the first is the one to mend.
  throw refusals[0] ?? untrusted(chain)
}

/** Asked before anything of it is parsed. */
export function requireShort({ length }: readonly unknown[]): void {
  if (length > certificatesMax)
    throw new Refusal('ERR_CHAIN_TOO_LONG', `over ${certificatesMax} certificates: ${length}`)
}

/** Every place where the chain meets an anchor. The leaf itself is none. */
function* pathsTo(
  anchors: readonly Certificate[],
  chain: readonly Certificate[],
): Generator<Certificate[]> {
  for (const [index, certificate] of chain.entries()) {
    const below = chain[index - 1]
    if (below !== undefined && !isIssuedBy(below, certificate)) return
    const path = chain.slice(0, index + 1)
    for (const anchor of anchors) {
      if (below !== undefined && anchor.der.equals(certificate.der)) yield path
      else if (isIssuedBy(certificate, anchor)) yield [...path, anchor]
    }
  }
}

/** By name, by key identifier where both have one, and by signature. */
function isIssuedBy(child: Certificate, issuer: Certificate): boolean {
  const { subjectKey = child.authorityKey } = issuer
  return (
    child.issuer.equals(issuer.subject) &&
    (child.authorityKey ?? subjectKey) === subjectKey &&
    child.openssl.verify(issuer.openssl.publicKey)
  )
}

function refusalOf(path: readonly Certificate[], context: ChainContext): Refusal | undefined {
  try {
    for (const [index, issuer] of path.entries())
      if (index > 0) requireIssuer(issuer, path.slice(0, index), context)
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function requireIssuer(
  issuer: Certificate,
  below: readonly Certificate[],
  { nowMs, purposes }: ChainContext,
): void {
  requireAuthority(issuer)
  requireValidNow(issuer, nowMs)
  requirePurposes(issuer, purposes)
  requirePathLength(issuer, below.length - 1)
  const { nameConstraints } = issuer
  if (nameConstraints === undefined) return
  for (const { names } of below) requirePermitted(names, nameConstraints)
}

/** Refuses a certificate that does not vouch for itself: what leads to it does not lead to a root. */
export function requireRoot(certificate: Certificate): void {
  const { openssl } = certificate
  if (!openssl.checkIssued(openssl) || !openssl.verify(openssl.publicKey))
    throw new Refusal('ERR_ROOT_ILLEGAL', `not a root: ${nameOf(certificate)}`)
  requireAuthority(certificate)
}

/** Refuses a certificate that may not sign others, or whose limits could be passed over. */
export function requireAuthority(issuer: Certificate): void {
  const { basicConstraints, keyUsage, nameConstraints, critical } = issuer
  const refuse = (code: RefusalCode, rule: string): never => {
    throw new Refusal(code, `issuer ${nameOf(issuer)}: ${rule}`)
  }
  if (basicConstraints?.isAuthority !== true) refuse('ERR_CHAIN_ISSUER_NOT_CA', 'not an authority')
  if (!critical.has(extensionId.basicConstraints))
    refuse('ERR_CHAIN_ISSUER_CONSTRAINTS', 'basic constraints are not critical')
  if (keyUsage === undefined || !critical.has(extensionId.keyUsage))
    refuse('ERR_CHAIN_ISSUER_USAGE_MISSING', 'no critical key usage')
  if (!keyUsage?.has('keyCertSign'))
    refuse('ERR_CHAIN_ISSUER_USAGE', 'key usage without keyCertSign')
  if (nameConstraints !== undefined && !critical.has(extensionId.nameConstraints))
    refuse('ERR_CHAIN_NAME_CONSTRAINTS', 'name constraints are not critical')
}

function requirePurposes(issuer: Certificate, purposes: readonly Purpose[]): void {
  const { extendedKeyUsage } = issuer
  const missing = purposes.find((purpose) => !extendedKeyUsage?.includes(purposeId[purpose]))
  if (extendedKeyUsage !== undefined && missing !== undefined)
    throw new Refusal('ERR_CHAIN_PURPOSE', `issuer ${nameOf(issuer)}: not for ${missing}`)
}

function requirePathLength(issuer: Certificate, below: number): void {
  const { pathLengthMax = Infinity } = issuer.basicConstraints ?? {}
  if (below > pathLengthMax)
    throw new Refusal(
      'ERR_CHAIN_PATH_LENGTH',
      `issuer ${nameOf(issuer)}: ${below} authorities below it, ${pathLengthMax} at most`,
    )
}

/** Names both clocks: which one is wrong is for whoever reads it to say. */
function requireValidNow(certificate: Certificate, nowMs: number): void {
  const { notBeforeMs, notAfterMs } = certificate
  const clock = thisClock(nowMs)
  const what = `certificate ${nameOf(certificate)}`
  if (nowMs < notBeforeMs - skewMs)
    throw new Refusal(
      'ERR_CERTIFICATE_NOT_YET_VALID',
      `${what}: its issuer's clock said ${formatTime(notBeforeMs)} or later, ${clock}`,
    )
  if (nowMs > notAfterMs + skewMs)
    throw new Refusal(
      'ERR_CERTIFICATE_EXPIRED',
      `${what}: ended ${formatTime(notAfterMs)}, ${clock}`,
    )
}

/** Names the certificate at which the way ends. */
function untrusted(chain: readonly Certificate[]): Refusal {
  const last = chain.findIndex((certificate, index) => {
    const next = chain[index + 1]
    return next === undefined || !isIssuedBy(certificate, next)
  })
  const name = nameOf(chain[last] as Certificate)
  return new Refusal('ERR_CHAIN_UNTRUSTED', `no trusted issuer of certificate ${name}`)
}
