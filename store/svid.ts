// The certificate of a workload, signed by its region's authority where that authority's key is.
import { randomBytes } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import { authorityProfile, type AuthorityPlace } from '../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../core/identity/certificate.ts'
import { readExpectedCsr } from '../core/identity/csr.ts'
import { workloadId } from '../core/identity/names.ts'
import { describeIssued, type Issued } from '../core/identity/recorded.ts'
import { recordIssued } from './issued.ts'
import { readIntermediate } from './intermediate.ts'
import { readWithdrawn } from './public.ts'
import type { AuthorityStore } from './root.ts'

export interface SvidWish {
  readonly workload: string
  /** PEM of a request; only its public key is read. */
  readonly request: string
  /** SHA-256 of the key, as the workload's holder said it. */
  readonly expected?: string | undefined
  /** At most what archipelago.yaml gives a leaf, which is what it is without it. */
  readonly lifetimeSeconds?: number | undefined
}

export interface SignedSvid {
  readonly leaf: Certificate
  readonly issued: Issued
  /** PEM: the leaf and its authority. */
  readonly chain: string
}

/**
 * Its name is `/workload/<name>` of the region's trust domain, and it has no other; it ends no later
 * than the authority. Refuses a longer life, a region without its authority here, a key that is not the
 * expected one or is the authority's own, and an identity that is withdrawn. Nobody has it yet: `recordSvid` first.
 */
export async function signSvid(
  store: AuthorityStore,
  place: AuthorityPlace & { readonly kind: 'identity' },
  { workload, request, expected, lifetimeSeconds }: SvidWish,
): Promise<SignedSvid> {
  const { archipelago, nowMs } = store
  authorityProfile(archipelago, place)
  const id = workloadId(archipelago, { region: place.region, name: workload })
  if (readWithdrawn(store.homes).includes(id))
    throw new Refusal('ERR_IDENTITY_WITHDRAWN', `identity is withdrawn: ${id}`)
  const publicKey = readExpectedCsr(request, expected)
  const { leafLifetimeSeconds: most } = archipelago.identity
  if (lifetimeSeconds !== undefined && lifetimeSeconds > most)
    throw new Refusal(
      'ERR_DURATION_ILLEGAL',
      `longer than a leaf lives, ${most} s: ${lifetimeSeconds} s`,
    )
  const issuer = readIntermediate(store, place)
  if (issuer === undefined)
    throw new Refusal(
      'ERR_KEY_NOT_HERE',
      `no authority of ${place.region} here that is good for long`,
    )
  if (issuer.certificate.openssl.publicKey.equals(publicKey))
    throw new Refusal('ERR_AUTHORITY_KEY', `key of the request is already that of ${place.region}`)
  const { issueLeaf } = await import('../core/identity/issue.ts')
  const leaf = await issueLeaf(
    publicKey,
    { id, dns: [], ips: [] },
    {
      ...{ issuer, commonName: workload, nowMs, lifetimeSeconds: lifetimeSeconds ?? most },
      serial: randomBytes(16),
    },
  )
  const issued = describeIssued(leaf, { kind: 'identity', holder: workload })
  return { leaf, issued, chain: formatCertificates([leaf, issuer.certificate]) }
}

/** Before it leaves: by its digest a live connection is led back to it. */
export function recordSvid(
  { homes }: AuthorityStore,
  region: string,
  { issued }: SignedSvid,
): void {
  recordIssued(homes, region, [issued])
}
