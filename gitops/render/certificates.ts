// A region's certificates as cert-manager makes them, and who may ask for which: nobody but cert-manager, for
// nothing but what stands here. A component of its own, which an overlay without cert-manager leaves out.
import type { Archipelago, Region } from '../../core/archipelago.ts'
import type { AuthorityKind } from '../../core/identity/authority.ts'
import {
  clusterCertificates,
  type ClusterCertificate,
} from '../../core/identity/cluster-certificates.ts'
import { intermediateSeconds } from '../../core/identity/lifetime.ts'
import { offlineSigner } from '../../core/identity/offline-signer.ts'
import { formatAll, formatComponent } from '../kustomization.ts'
import type { Files, RegionPart } from '../render.ts'
import { certificateRules } from './certificate-rules.ts'

const folder = 'tls-cert-manager'
/** Of cert-manager: no certificate lives shorter. */
const leafSecondsMin = 3600
const daySeconds = 24 * 3600

export function renderCertificates(archipelago: Archipelago, region: Region): RegionPart {
  const all = clusterCertificates(archipelago, region.name)
  const { namespace } = archipelago.kubernetes
  const component = {
    resources: ['certificates.yaml', 'role.yaml'],
    components: [`../../../../components/${folder}`],
  }
  const seconds = leafSeconds(archipelago)
  const certificates = [
    ...(['identity', 'public'] as const).map((kind) => authority(region.name, kind, namespace)),
    ...all.map((each) => certificate(each, seconds, namespace)),
  ]
  return {
    files: new Map([
      [`${folder}/kustomization.yaml`, formatComponent(component)],
      [`${folder}/certificates.yaml`, formatAll(certificates)],
      [`${folder}/role.yaml`, formatAll([useRole(all, namespace)])],
    ]),
    kustomization: {},
  }
}

/** Who may ask for which: not of the overlay, since whoever may push would widen it. */
export function renderGuards(archipelago: Archipelago): Files {
  const seconds = leafSeconds(archipelago)
  const { namespace } = archipelago.kubernetes
  return new Map(
    archipelago.regions.flatMap(({ name }): [string, string][] => {
      const all = clusterCertificates(archipelago, name)
      const folder = `manifests/guards/${name}/generated`
      const policies = all.map((each) => policy(each, seconds, namespace))
      return [
        [`${folder}/policies.yaml`, formatAll(policies)],
        [`${folder}/admission.yaml`, formatAll([admission(name, all, { seconds, namespace })])],
      ]
    }),
  )
}

const leafSeconds = ({ identity }: Pick<Archipelago, 'identity'>): number =>
  Math.max(identity.leafLifetimeSeconds, leafSecondsMin)

const issuerOf = (kind: AuthorityKind): string => `region-${kind}`

const ecdsa = { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' }
const usagesOf: Record<AuthorityKind, readonly string[]> = {
  identity: ['digital signature', 'server auth', 'client auth'],
  public: ['digital signature', 'server auth'],
}
const duration = (seconds: number) => `${Math.floor(seconds / 60)}m`

/** What the operator signs has his limits and his times: of this only the key is taken. */
const authority = (region: string, kind: AuthorityKind, namespace: string): object => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: issuerOf(kind), namespace },
  spec: {
    isCA: true,
    commonName: `${region} ${kind}`,
    secretName: `${issuerOf(kind)}-authority`,
    duration: duration(intermediateSeconds),
    renewBefore: duration(30 * daySeconds),
    privateKey: ecdsa,
    usages: ['cert sign', 'crl sign'],
    issuerRef: { ...offlineSigner, name: kind },
  },
})

const certificate = (
  { name, authority: kind, id, dns, ips }: ClusterCertificate,
  seconds: number,
  namespace: string,
): object => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name, namespace },
  spec: {
    secretName: name,
    ...(id !== undefined && { uris: [id] }),
    ...(dns.length > 0 && { dnsNames: dns }),
    ...(ips.length > 0 && { ipAddresses: ips }),
    duration: duration(seconds),
    renewBefore: duration(seconds / 2),
    revisionHistoryLimit: 2,
    privateKey: ecdsa,
    usages: usagesOf[kind],
    issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: issuerOf(kind) },
  },
})

/** Of approver-policy: the one part of the cluster that reads what a request asks for. */
const policy = (
  { name, authority: kind, id, dns, ips }: ClusterCertificate,
  seconds: number,
  namespace: string,
): object => ({
  apiVersion: 'policy.cert-manager.io/v1alpha1',
  kind: 'CertificateRequestPolicy',
  metadata: { name: policyName(name) },
  spec: {
    allowed: {
      isCA: false,
      usages: usagesOf[kind],
      ...(id !== undefined && {
        uris: { required: true, values: [id], validations: [ofOwn(name)] },
      }),
      ...(dns.length > 0 && {
        dnsNames: { required: true, values: dns, validations: [ofOwn(name)] },
      }),
      ...(ips.length > 0 && { ipAddresses: { required: true, values: ips } }),
    },
    constraints: {
      maxDuration: duration(seconds),
      privateKey: { algorithm: 'ECDSA', minSize: 256, maxSize: 256 },
    },
    selector: {
      issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: issuerOf(kind) },
      namespace: { matchNames: [namespace] },
    },
  },
})

/** cert-manager names a request after its Certificate: that of another one gets other names. */
const ofOwn = (name: string) => ({
  rule: `cr.name.matches('^${name}-[0-9]+$')`,
  message: `only the Certificate ${name} may ask for this name`,
})

const policyName = (name: string) => `archipelago-${name}`

/** By approver-policy a policy counts for those who may use it: here cert-manager alone. */
const useRole = (all: readonly ClusterCertificate[], namespace: string): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name: 'cert-manager-policies', namespace },
  rules: [
    {
      apiGroups: ['policy.cert-manager.io'],
      resources: ['certificaterequestpolicies'],
      resourceNames: all.map(({ name }) => policyName(name)),
      verbs: ['use'],
    },
  ],
})

const admission = (
  region: string,
  all: readonly ClusterCertificate[],
  { seconds, namespace }: { seconds: number; namespace: string },
): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'archipelago-certificates' },
  spec: certificateRules(region, all, { namespace, durationMax: duration(seconds) }),
})
