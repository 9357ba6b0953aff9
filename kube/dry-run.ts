// What a real API server says of an object without taking it: schema, defaults, admission and policies.
import {
  ApiException,
  KubernetesObjectApi,
  PatchStrategy,
  type KubernetesObject,
} from '@kubernetes/client-node'
import { openConfig, type ClusterUser } from './config.ts'
import { statusMessage } from './status-message.ts'

export interface DryRun {
  /** The server's reason; undefined where it would take the object. */
  tryApply(object: object): Promise<string | undefined>
  /** Whether namespaced objects can be tried at all. */
  hasNamespace(name: string): Promise<boolean>
}

/** By the user's kubeconfig, or the named one, and the named context of it. */
export function openDryRun(user: ClusterUser): DryRun {
  const objects = KubernetesObjectApi.makeApiClient(openConfig(user))
  return {
    tryApply: (object) => reasonOf(apply(objects, object)),
    hasNamespace: async (name) => {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
      return (await reasonOf(objects.read(namespace))) === undefined
    },
  }
}

/** Server-side apply takes no field that the schema does not have. */
function apply(objects: KubernetesObjectApi, object: KubernetesObject): Promise<unknown> {
  const strategy = PatchStrategy.ServerSideApply
  return objects.patch(object, undefined, 'All', 'validate-manifests', true, strategy)
}

async function reasonOf(doing: Promise<unknown>): Promise<string | undefined> {
  try {
    await doing
    return undefined
  } catch (error) {
    if (!(error instanceof ApiException)) return error instanceof Error ? error.message : 'unknown'
    if (error.code === 404) return 'the cluster does not know the kind, or not its namespace'
    return statusMessage(error) ?? `status ${error.code}`
  }
}
