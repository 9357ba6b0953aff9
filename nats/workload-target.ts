// How a workload dials the servers: it shows its certificate, and speaks to whoever is a server of one
// of the regions that it knows.
import type { ConnectionOptions, DetailedPeerCertificate } from 'node:tls'
import { Refusal } from '../core/errors.ts'
import type { BundleMap } from '../core/identity/bundle.ts'
import { formatCertificates } from '../core/identity/certificate.ts'
import { isServerId } from '../core/identity/names.ts'
import { verifySvid } from '../core/identity/svid.ts'
import type { Target } from './connect.ts'
import { openWebSocket } from './open-websocket.ts'
import { shownChain } from './shown-chain.ts'

/** Read anew at every dial: a reconnect shows what was renewed meanwhile. */
export interface Workload {
  /** PEM: the leaf, and the authority that signed it. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
  /** Of every region that it may end up in. */
  readonly bundles: BundleMap
}

/** `servers`: URLs of listeners for workloads. */
export function workloadTarget(
  workload: Workload,
  { timeoutMs = 5_000, ...target }: Omit<Target, 'ca' | 'identity' | 'open'>,
): Target {
  return {
    ...{ ...target, timeoutMs, ca: '' },
    open: (server) => openWebSocket(server, { tls: mutualTls(workload), timeoutMs }),
  }
}

function mutualTls({ certificate: cert, key, bundles }: Workload): ConnectionOptions {
  const authorities = [...bundles.values()].flatMap((bundle) => bundle.authorities)
  return {
    ...{ cert, key, ca: formatCertificates(authorities) },
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.3',
    // In place of the host. OpenSSL knows one pool of authorities: whose each is, is asked here.
    checkServerIdentity: (_, peer) => refusalOf(peer as DetailedPeerCertificate, bundles),
  }
}

function refusalOf(peer: DetailedPeerCertificate, bundles: BundleMap): Error | undefined {
  try {
    const { id } = verifySvid(shownChain(peer), { bundles, nowMs: Date.now() })
    if (isServerId(id)) return undefined
    return new Refusal('ERR_PEER_ID', `peer is ${id}, not a server`)
  } catch (error) {
    return error as Error
  }
}
