// X.509-SVIDs (X509-SVID.md): what a certificate must be to stand for a SPIFFE ID. The bundle is
// chosen by the trust domain that the certificate claims, and by nothing else.
import { Refusal, type RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'
import { requireBundle, type BundleMap } from './bundle.ts'
import { nameOf, parseCertificate, type Certificate } from './certificate.ts'
import { requireShort, verifyChain } from './chain.ts'
import { extensionId, purposeId } from './extensions.ts'
import {
  parseSpiffeId,
  pathOf,
  trustDomainOf,
  type SpiffeId,
  type TrustDomain,
} from './spiffe-id.ts'

export interface Svid {
  readonly id: SpiffeId
  readonly leaf: Certificate
  /** From the leaf to the authority of the bundle. */
  readonly path: readonly Certificate[]
}
export interface SvidContext {
  readonly bundles: BundleMap
  readonly nowMs: number
}

/** Refuses whatever is not an SVID, of a trust domain without a bundle, or not issued by that bundle's authorities. */
export function verifySvid(chain: readonly Uint8Array[], { bundles, nowMs }: SvidContext): Svid {
  requireShort(chain)
  const certificates = chain.map(parseCertificate)
  const [leaf, ...issuers] = certificates
  if (leaf === undefined) throw new Refusal('ERR_CHAIN_EMPTY', 'no certificate was shown')
  const id = requireSvid(leaf)
  for (const issuer of issuers) requireAuthorityName(issuer)
  const { authorities } = requireBundle(bundles, trustDomainOf(id))
  const path = verifyChain(certificates, authorities, {
    nowMs,
    purposes: ['serverAuth', 'clientAuth'],
  })
  return { id, leaf, path }
}

/**
 * For who trusts several trust domains and is itself of `own`: refuses DNS names of another one that are
 * not below it. Names inside of a cluster may be made by every region's authority, so they count from one's
 * own alone.
 */
export function requireNamesOfDomain({ id, leaf }: Svid, own: TrustDomain): void {
  const domain = trustDomainOf(id)
  if (domain === own) return
  const shared = leaf.names.dns.find((name) => name !== domain && !name.endsWith(`.${domain}`))
  if (shared !== undefined)
    throw new Refusal(
      'ERR_SVID_NAME_SHARED',
      `SVID ${nameOf(leaf)}: a name that is not below its trust domain: ${quote(shared)}`,
    )
}

const emptyName = Buffer.from([0x30, 0])

/** The rules for a leaf by itself; says nothing about who signed it. */
export function requireSvid(leaf: Certificate): SpiffeId {
  const id = requireOneId(leaf)
  const { basicConstraints, nameConstraints, names, critical, subject } = leaf
  const refuse = (code: RefusalCode, rule: string): never => {
    throw new Refusal(code, `SVID ${nameOf(leaf)}: ${rule}`)
  }
  if (pathOf(id) === '') refuse('ERR_SVID_PATH', 'a trust domain without a path')
  if (basicConstraints?.isAuthority === true) refuse('ERR_SVID_CA', 'an authority')
  requireUsage(leaf, refuse)
  if (nameConstraints !== undefined) refuse('ERR_SVID_NAME_CONSTRAINTS', 'has name constraints')
  // nats-server maps a mail address to a user before it looks at the URI.
  if (names.others.length > 0) refuse('ERR_SVID_NAME_KIND', 'has names that are not URI, DNS or IP')
  if (subject.equals(emptyName) && !critical.has(extensionId.alternativeNames))
    refuse('ERR_SVID_NAMES_NOT_CRITICAL', 'no subject, and names are not critical')
  return id
}

function requireOneId({ names: { uris }, serial }: Certificate): SpiffeId {
  const [uri, ...more] = uris
  if (uri === undefined) throw new Refusal('ERR_SVID_URI_NONE', `serial ${serial}: no URI name`)
  if (more.length > 0)
    throw new Refusal('ERR_SVID_URI_MANY', `serial ${serial}: ${uris.length} URI names`)
  return parseSpiffeId(uri)
}

function requireUsage(
  { keyUsage, extendedKeyUsage, critical }: Certificate,
  refuse: (code: RefusalCode, rule: string) => never,
): void {
  if (keyUsage === undefined) return refuse('ERR_SVID_USAGE_MISSING', 'no key usage')
  if (!critical.has(extensionId.keyUsage))
    refuse('ERR_SVID_USAGE_NOT_CRITICAL', 'key usage is not critical')
  if (!keyUsage.has('digitalSignature'))
    refuse('ERR_SVID_USAGE', 'key usage without digitalSignature')
  if (keyUsage.has('keyCertSign') || keyUsage.has('cRLSign'))
    refuse('ERR_SVID_USAGE_SIGNS', 'key usage of an authority')
  const isForBoth = Object.values(purposeId).every((id) => extendedKeyUsage?.includes(id))
  if (extendedKeyUsage !== undefined && !isForBoth)
    refuse('ERR_SVID_PURPOSE', 'extended key usage is not both serverAuth and clientAuth')
}

/** An authority may have a name, but not one that could stand for a workload (section 3.2). */
function requireAuthorityName(issuer: Certificate): void {
  const { uris } = issuer.names
  const [uri] = uris
  if (uri === undefined) return
  if (uris.length > 1 || pathOf(parseSpiffeId(uri)) !== '')
    throw new Refusal('ERR_CHAIN_ISSUER_NAME', `issuer ${nameOf(issuer)}: named as a workload is`)
}
