import type { V1Service } from '@kubernetes/client-node'
import { describeManifest, type Manifest } from '../manifest.ts'
import { containersOf, podsOf, type PodTemplate } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/** A service leads to pods that are there, to a port that they have, and never to monitoring. */
export const servicesLeadSomewhere: ManifestRule = {
  name: 'services lead to pods',
  scope: 'overlays',
  find: ({ manifests }) => {
    const pods = podsOf(manifests)
    return manifests
      .filter(({ kind }) => kind === 'Service')
      .flatMap((service) => faults(service, manifests, pods))
  },
}

function faults(manifest: Manifest, manifests: readonly Manifest[], pods: readonly PodTemplate[]) {
  const { spec } = manifest as V1Service
  const selected = pods.filter((pod) => isSelected(pod, spec?.selector ?? {}, manifests))
  const what = describeManifest(manifest)
  if (selected.length === 0) return [`${what}: selects no pod`]
  const ports = selected.flatMap((pod) => containersOf(pod).flatMap(({ ports = [] }) => ports))
  return (spec?.ports ?? []).flatMap(({ name, port, targetPort = port }) => {
    const [found] = ports.filter(
      (one) => one.name === targetPort || one.containerPort === targetPort,
    )
    if (found === undefined) return [`${what}: no pod has the port ${targetPort}`]
    if (found.name === 'monitor') return [`${what}: opens monitoring as ${name}`]
    return []
  })
}

const podName = 'statefulset.kubernetes.io/pod-name'

function isSelected(
  { owner, labels }: PodTemplate,
  selector: Readonly<Record<string, string>>,
  manifests: readonly Manifest[],
): boolean {
  const pairs = Object.entries(selector)
  if (pairs.length === 0) return false
  const names = manifests
    .filter((manifest) => describeManifest(manifest) === owner)
    .flatMap(podNames)
  return pairs.every(([key, value]) =>
    key === podName ? names.includes(value) : labels[key] === value,
  )
}

function podNames(manifest: Manifest): string[] {
  if (manifest.kind !== 'StatefulSet') return []
  const { replicas = 1 } = (manifest as { spec?: { replicas?: number } }).spec ?? {}
  return Array.from({ length: replicas }, (_, index) => `${manifest.metadata.name}-${index}`)
}
