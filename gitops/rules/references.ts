import type { V1Role, V1Volume } from '@kubernetes/client-node'
import type { Manifest } from '../manifest.ts'
import { podsOf } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/**
 * What a pod mounts is in its overlay, made by something that is (a Certificate), or optional: then something
 * in the pod waits for it and says so. Anything else is a misspelt name, and a pod that never starts.
 */
export const mountsAreThere: ManifestRule = {
  name: 'mounts are there',
  scope: 'overlays',
  find: ({ manifests }) => {
    const known = new Set(manifests.flatMap(namesMadeBy))
    return podsOf(manifests).flatMap(({ owner, spec }) =>
      (spec.volumes ?? [])
        .flatMap(requiredBy)
        .filter((name) => !known.has(name))
        .map((name) => `${owner}: mounts what nobody makes: ${name}`),
    )
  },
}

function namesMadeBy(manifest: Manifest): string[] {
  const { kind, metadata, ...rest } = manifest
  const { spec } = rest as { spec?: { secretName?: string } }
  if (kind === 'Role' && metadata.name === 'region-keys') return namesWrittenBy(manifest)
  if (kind === 'ConfigMap') return [`ConfigMap ${metadata.name}`]
  if (kind === 'SealedSecret') return [`Secret ${metadata.name}`]
  return kind === 'Certificate' ? [`Secret ${spec?.secretName ?? ''}`] : []
}

/** What the job of that name makes in place: all that its role lets it write. */
function namesWrittenBy(role: Manifest): string[] {
  const { rules = [] } = role as unknown as V1Role
  return rules.flatMap(({ resources = [], resourceNames = [] }) =>
    resourceNames.map(
      (name) => `${resources.includes('secrets') ? 'Secret' : 'ConfigMap'} ${name}`,
    ),
  )
}

function requiredBy({ configMap, secret, projected }: V1Volume): string[] {
  const sources = projected?.sources ?? []
  return [
    ...[configMap, ...sources.map((source) => source.configMap)].flatMap((source) =>
      source === undefined || source.optional ? [] : [`ConfigMap ${source.name}`],
    ),
    ...(secret === undefined || secret.optional ? [] : [`Secret ${secret.secretName}`]),
    ...sources.flatMap(({ secret: source }) =>
      source === undefined || source.optional ? [] : [`Secret ${source.name}`],
    ),
  ]
}
