import type { V1StatefulSet } from '@kubernetes/client-node'
import { parseDuration } from '../../core/duration.ts'
import { serverLimits } from '../../core/network/server.ts'
import { describeManifest } from '../manifest.ts'
import { podsOf } from '../pods.ts'
import type { Built, ManifestRule } from '../rule.ts'
import { isNamespaced } from '../scope.ts'

/** An overlay says of its region what archipelago.yaml says. */
export const fitsArchipelago: ManifestRule = {
  name: 'overlays fit archipelago.yaml',
  scope: 'overlays',
  find: (built) => [...placeFaults(built), ...labelFaults(built), ...serverFaults(built)],
}

/** The name constraint of a region's authority permits the services of one namespace. */
function placeFaults({ manifests, archipelago }: Built): string[] {
  const { namespace } = archipelago.kubernetes
  return manifests
    .filter((manifest) => isNamespaced(manifest) && manifest.metadata.namespace !== namespace)
    .map((manifest) => `${describeManifest(manifest)}: not in the namespace ${namespace}`)
}

type Value = string | number | undefined

const instance = 'app.kubernetes.io/instance'

function labelFaults({ manifests, region }: Built): string[] {
  return podsOf(manifests)
    .filter(({ labels }) => labels[instance] !== region)
    .map(({ owner, labels }) => `${owner}: ${instance} is ${labels[instance]}, not ${region}`)
}

function serverFaults({ manifests, archipelago, region: name }: Built): string[] {
  const region = archipelago.regions.find((one) => one.name === name)
  if (region === undefined) return [`no such region in archipelago.yaml: ${name}`]
  const sets = manifests.filter(
    ({ kind, metadata }) =>
      kind === 'StatefulSet' && metadata.labels?.['app.kubernetes.io/component'] === 'server',
  )
  const [set] = sets as V1StatefulSet[]
  const { serviceName, replicas, template } = set?.spec ?? {}
  const { service } = archipelago.kubernetes
  const graceSeconds = template?.spec?.terminationGracePeriodSeconds ?? 30
  const found: readonly (readonly [what: string, is: Value, should: Value])[] = [
    ['StatefulSets of servers', sets.length, 1],
    ['name of the StatefulSet', set?.metadata?.name, name],
    ['its servers', replicas, region.servers],
    ['its service', serviceName, service],
  ]
  return [
    ...found
      .filter(([, is, should]) => is !== should)
      .map(([what, is, should]) => `${what}: ${is}, not ${should}`),
    ...(graceSeconds > lameDuckSeconds
      ? []
      : [
          `servers are killed after ${graceSeconds} s, while their clients move for ${lameDuckSeconds} s`,
        ]),
  ]
}

const { lame_duck_duration: moving, lame_duck_grace_period: grace } = serverLimits(0)
const lameDuckSeconds = parseDuration(moving as string) + parseDuration(grace as string)
