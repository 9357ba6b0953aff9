// TLS in which both ends show SVIDs, as the one who dials sees it.
import type { ConnectionOptions, DetailedPeerCertificate } from 'node:tls'
import { Refusal } from '../core/errors.ts'
import type { BundleMap } from '../core/identity/bundle.ts'
import { formatCertificates } from '../core/identity/certificate.ts'
import type { SpiffeId } from '../core/identity/spiffe-id.ts'
import { verifySvid } from '../core/identity/svid.ts'
import { shownChain } from './shown-chain.ts'

/** Read anew at every dial: what was renewed meanwhile is shown from then on. */
export interface Workload {
  /** PEM: the leaf, and the authority that signed it. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
  /** Of every region that it may end up in. */
  readonly bundles: BundleMap
}

export interface ExpectedPeer {
  /** For people: `a server`. */
  readonly what: string
  readonly isPeer: (id: SpiffeId) => boolean
}

export function mutualTls(
  { certificate: cert, key, bundles }: Workload,
  expected: ExpectedPeer,
): ConnectionOptions {
  const authorities = [...bundles.values()].flatMap((bundle) => bundle.authorities)
  return {
    ...{ cert, key, ca: formatCertificates(authorities) },
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.3',
    // In place of the host. OpenSSL knows one pool of authorities: whose each is, is asked here.
    checkServerIdentity: (_, peer) => refusalOf(peer as DetailedPeerCertificate, bundles, expected),
  }
}

function refusalOf(
  peer: DetailedPeerCertificate,
  bundles: BundleMap,
  { what, isPeer }: ExpectedPeer,
): Error | undefined {
  try {
    const { id } = verifySvid(shownChain(peer), { bundles, nowMs: Date.now() })
    return isPeer(id) ? undefined : new Refusal('ERR_PEER_ID', `peer is ${id}, not ${what}`)
  } catch (error) {
    return error as Error
  }
}
