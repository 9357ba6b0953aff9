import type { Manifest } from '../manifest.ts'
import { ingressRules, networkPolicies, policiesOf, type PodPeer } from '../network-policy.ts'
import { containersOf, podsOf, type PodTemplate } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/**
 * Every pod is closed both ways, and every port that a container has is one that a policy speaks of: else it
 * was forgotten, and nobody can come in by it. Monitoring is for the kubelet, which no policy stops.
 */
export const portsAreCovered: ManifestRule = {
  name: 'network policies cover every port',
  scope: 'overlays',
  find: ({ manifests, archipelago }) =>
    podsOf(manifests).flatMap((pod) =>
      faults(pod, manifests, { ...peerOf(pod), namespace: archipelago.kubernetes.namespace }),
    ),
}

const peerOf = (pod: PodTemplate) => ({
  labels: pod.labels,
  ports: containersOf(pod).flatMap(({ ports = [] }) => ports),
})

function faults({ owner }: PodTemplate, manifests: readonly Manifest[], peer: PodPeer): string[] {
  const policies = networkPolicies(manifests)
  const open = (['Ingress', 'Egress'] as const).filter(
    (direction) => policiesOf(policies, direction, peer).length === 0,
  )
  const spoken = policiesOf(policies, 'Ingress', peer)
    .flatMap(({ spec }) => ingressRules(spec))
    .flatMap(({ ports = [] }) => ports.map(({ port }) => port))
  const forgotten = (peer.ports ?? []).filter(
    ({ name, containerPort }) =>
      name !== 'monitor' && !spoken.some((port) => port === name || port === containerPort),
  )
  return [
    ...open.map((direction) => `${owner}: no policy for ${direction.toLowerCase()}`),
    ...forgotten.map(({ name, containerPort }) => {
      const what = name === undefined ? `${containerPort}` : `${containerPort} (${name})`
      return `${owner}: no policy speaks of its port ${what}`
    }),
  ]
}
