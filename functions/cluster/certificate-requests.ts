// Requests for certificates as cert-manager writes them, of the issuer that nobody in the cluster answers
// for: the operator, far away (manifests/components/tls-cert-manager).
import type { AnyKind } from '../../core/identity/authority.ts'
import { offlineSigner } from '../../core/identity/offline-signer.ts'
import type { Cluster, ClusterObject } from '../../kube/cluster.ts'

const certificateRequestKind = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'CertificateRequest',
  plural: 'certificaterequests',
} as const

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}
export interface CertificateRequest extends ClusterObject {
  readonly spec: {
    /** PEM, in base64. */
    readonly request: string
    readonly isCA?: boolean
    readonly issuerRef: { readonly name: string; readonly kind?: string; readonly group?: string }
  }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly certificate?: string
    readonly ca?: string
  }
}

export interface PendingRequest {
  readonly kind: AnyKind
  readonly pem: string
  readonly object: CertificateRequest
}

/** A namespace, and the authorities that may be asked for in it: whoever rules there has their keys. */
export interface RequestPlace {
  readonly cluster: Cluster
  readonly kinds: readonly AnyKind[]
}

/** Of these authorities of the region, those that wait for an answer. */
export async function listPending({ cluster, kinds }: RequestPlace): Promise<PendingRequest[]> {
  const all = await cluster.list<CertificateRequest>(certificateRequestKind)
  return all.flatMap((object) => {
    const kind = kinds.find((each) => asksFor(each, object))
    if (kind === undefined || isSettled(object)) return []
    return [{ kind, pem: Buffer.from(object.spec.request, 'base64').toString(), object }]
  })
}

function asksFor(wanted: AnyKind, { spec: { issuerRef, isCA } }: CertificateRequest): boolean {
  const { name, kind, group } = issuerRef
  return (
    group === offlineSigner.group && kind === offlineSigner.kind && isCA === true && name === wanted
  )
}

function isSettled({ status }: CertificateRequest): boolean {
  const has = (type: string) =>
    status?.conditions?.some((each) => each.type === type && each.status === 'True') === true
  const isFailed = status?.conditions?.some(
    ({ type, reason }) => type === 'Ready' && reason === 'Failed',
  )
  return has('Ready') || has('Denied') || isFailed === true
}

/** Approves it and fills in what was signed for its key. */
export async function answerRequest(
  cluster: Cluster,
  { object }: PendingRequest,
  answer: { readonly certificate: string; readonly root: string; readonly now: string },
): Promise<void> {
  const { certificate, root, now } = answer
  const condition = (type: string, reason: string, message: string): Condition => ({
    ...{ type, status: 'True', reason, message, lastTransitionTime: now },
  })
  const kept = (object.status?.conditions ?? []).filter(
    ({ type }) => type !== 'Ready' && type !== 'Approved',
  )
  const approved = condition('Approved', 'Adopted', 'the operator signed for this key')
  const ready = condition('Ready', 'Issued', 'the certificate of ConfigMap region-authority')
  const encode = (pem: string) => Buffer.from(pem).toString('base64')
  await cluster.replaceStatus(certificateRequestKind, {
    ...object,
    status: {
      ...object.status,
      certificate: encode(certificate),
      ca: encode(root),
      conditions: [...kept, approved, ready],
    },
  })
}
