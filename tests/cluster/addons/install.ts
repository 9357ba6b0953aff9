// Objects into a cluster, in the order that the API server needs.
import type { Cluster } from '../lab/cluster.ts'
import { describeTroubles } from '../lab/troubles.ts'
import type { KubernetesObject } from './render-chart.ts'

const rolloutSeconds = 120

/** The namespace and the kinds first. */
export async function installObjects(
  { apply, kubectl }: Cluster,
  namespace: string,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const own = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  const kinds = objects.filter(({ kind }) => kind === 'CustomResourceDefinition')
  await apply([own, ...kinds])
  await apply(
    objects.filter((each) => !kinds.includes(each)).map((each) => inNamespace(each, namespace)),
  )
  if (kinds.length > 0) {
    const names = kinds.map(({ metadata }) => `crd/${metadata.name}`)
    await kubectl(['wait', '--for=condition=Established', ...names, '--timeout=30s'])
  }
}

export async function awaitRollouts(
  { kubectl }: Cluster,
  namespace: string,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const workloads = objects.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))
  const wait = ['-n', namespace, 'rollout', 'status', `--timeout=${rolloutSeconds}s`]
  const deadlineMs = (rolloutSeconds + 10) * 1000
  for (const { kind, metadata } of workloads) {
    await kubectl([...wait, `${kind}/${metadata.name}`], { deadlineMs }).catch(
      async (cause: unknown) => {
        const why = await describeTroubles(kubectl, namespace)
        throw new Error(`${metadata.name} does not come up: ${why}`, { cause })
      },
    )
  }
}

/** kubectl puts what names none into the default namespace, and cluster-wide kinds know none. */
function inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  if (clusterWide.has(object.kind)) return object
  return { ...object, metadata: { namespace, ...object.metadata } }
}

const clusterWide = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
])
