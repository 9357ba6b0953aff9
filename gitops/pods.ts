import type { V1Container, V1ObjectMeta, V1PodSpec } from '@kubernetes/client-node'
import { describeManifest, type Manifest } from './manifest.ts'

/** The pods that an object makes. */
export interface PodTemplate {
  /** Such as `StatefulSet nats/ams3`. */
  readonly owner: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: V1PodSpec
}

/** Of every object that makes pods, also of its Jobs. */
export function podsOf(manifests: readonly Manifest[]): PodTemplate[] {
  return manifests.flatMap((manifest) => {
    const template = templateOf(manifest)
    if (template?.spec === undefined) return []
    const { metadata, spec } = template
    return [{ owner: describeManifest(manifest), labels: metadata?.labels ?? {}, spec }]
  })
}

export function containersOf({ spec }: PodTemplate): V1Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

interface Template {
  readonly metadata?: V1ObjectMeta
  readonly spec?: V1PodSpec
}

interface Workload {
  readonly template?: Template
  readonly jobTemplate?: { readonly spec?: Workload }
}

function templateOf(manifest: Manifest): Template | undefined {
  const { spec, metadata } = manifest as { spec?: Workload & V1PodSpec; metadata: V1ObjectMeta }
  if (manifest.kind === 'Pod') return { metadata, ...(spec && { spec }) }
  const template = spec?.template ?? spec?.jobTemplate?.spec?.template
  // Other kinds have templates, too: of Secrets, of Applications.
  return template?.spec?.containers === undefined ? undefined : template
}
