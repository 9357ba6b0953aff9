// Which kinds lie in no namespace: kustomize knows only those of Kubernetes itself.
import type { Manifest } from './manifest.ts'

const clusterWide: ReadonlySet<string> = new Set([
  'APIService',
  'CertificateRequestPolicy',
  'ClusterIssuer',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
])

export const isNamespaced = ({ kind }: Pick<Manifest, 'kind'>): boolean => !clusterWide.has(kind)
