// Answers the requests for a region's authorities with what the operator signed, and with nothing else: the key
// has to be the one that asked, the limits those of this region, the root one that git carries.
import type { Archipelago } from '../../core/archipelago.ts'
import {
  acceptIntermediate,
  authorityKinds,
  authorityProfile,
} from '../../core/identity/authority.ts'
import {
  formatCertificates,
  parseCertificates,
  type Certificate,
} from '../../core/identity/certificate.ts'
import { readCsr } from '../../core/identity/csr.ts'
import { meshPlaces } from '../../core/identity/mesh.ts'
import { Refusal } from '../../core/errors.ts'
import { authorityKey, regionAuthorityName, rootsKey } from '../../core/trust/region-authority.ts'
import { regionPublicName, requestKey } from '../../core/trust/region-public.ts'
import type { Cluster } from '../../kube/cluster.ts'
import {
  answerRequest,
  listPending,
  type PendingRequest,
  type RequestPlace,
} from './certificate-requests.ts'
import { configMapKind, keepEntries, type ConfigMap } from './keep-config-map.ts'

export interface Answering {
  /** Of the network's own namespace. */
  readonly cluster: Cluster
  readonly inNamespace: (namespace: string) => Cluster
  readonly archipelago: Archipelago
  readonly region: string
  readonly nowMs: () => number
  readonly report: (line: string) => void
}

/** One look: publishes what is asked for, answers what was signed. */
export async function answerAuthorities(answering: Answering): Promise<void> {
  const { cluster, archipelago, inNamespace, report } = answering
  await answerPlace(answering, { cluster, kinds: authorityKinds })
  for (const mesh of archipelago.kubernetes.meshes) {
    const { namespace } = meshPlaces[mesh]
    // A mesh that is not there yet, or lets nobody look, keeps nobody else waiting.
    await answerPlace(answering, { cluster: inNamespace(namespace), kinds: [mesh] }).catch(
      (error: unknown) => {
        if (!(error instanceof Refusal)) throw error
        report(`${mesh}: ${error.message}`)
      },
    )
  }
}

async function answerPlace(answering: Answering, place: RequestPlace): Promise<void> {
  const pending = await listPending(place)
  if (pending.length === 0) return
  await publishRequests(answering, pending)
  const signed = await answering.cluster.read<ConfigMap>(configMapKind, regionAuthorityName)
  for (const request of pending)
    await answerOne(answering, { place, request, data: signed?.data ?? {} })
}

/** What was asked for last: of a request that was made again the operator signs the newer key. */
async function publishRequests(
  { cluster, region, report }: Answering,
  pending: readonly PendingRequest[],
): Promise<void> {
  const found = await cluster.read<ConfigMap>(configMapKind, regionPublicName)
  // Made by the job region-keys, which may still be at it.
  if (found === undefined) return
  const data = Object.fromEntries(pending.map(({ kind, pem }) => [requestKey(kind), pem]))
  if (await keepEntries(cluster, found, data))
    report(`asked for: run node scripts/adopt-region.ts ${region} where the operator is`)
}

async function answerOne(
  { archipelago, region, nowMs, report }: Answering,
  {
    place: { cluster },
    request,
    data,
  }: {
    readonly place: RequestPlace
    readonly request: PendingRequest
    readonly data: Readonly<Record<string, string>>
  },
): Promise<void> {
  const { kind, object } = request
  const place = { region, kind, placement: 'distributed' } as const
  try {
    const signed = findSigned(request, data)
    if (signed === undefined) return
    const roots = parseIfThere(data[rootsKey(kind)])
    const profile = authorityProfile(archipelago, place)
    acceptIntermediate(signed, { kind, profile, roots, nowMs: nowMs() })
    await answerRequest(cluster, request, {
      certificate: formatCertificates([signed]),
      root: formatCertificates(
        roots.filter(({ openssl }) => signed.openssl.verify(openssl.publicKey)),
      ),
      now: new Date(nowMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
    })
    report(`${object.metadata.name}: answered: the ${kind} authority of ${region}`)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    report(`${object.metadata.name}: not answered: ${error.message}`)
  }
}

function findSigned(
  { kind, pem }: PendingRequest,
  data: Readonly<Record<string, string>>,
): Certificate | undefined {
  const key = readCsr(pem)
  return parseIfThere(data[authorityKey(kind)]).find(({ openssl }) => openssl.publicKey.equals(key))
}

const parseIfThere = (pem: string | undefined): Certificate[] =>
  pem === undefined || pem === '' ? [] : parseCertificates(pem)
