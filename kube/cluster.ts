// A Kubernetes cluster, as far as the commands that run in one speak to it: the objects of one namespace,
// read, made and replaced. Who may do what stands in the roles of their service accounts.
import {
  CustomObjectsApi,
  type KubeConfig,
  KubernetesObjectApi,
  type KubernetesObject,
} from '@kubernetes/client-node'
import { Refusal } from '../core/errors.ts'
import { openConfig, type ClusterUser } from './config.ts'
import { orRefuse } from './or-refuse.ts'

export interface Kind {
  readonly apiVersion: string
  readonly kind: string
}
export interface Metadata {
  readonly name: string
  readonly resourceVersion?: string
  readonly annotations?: Readonly<Record<string, string>>
}
export interface ClusterObject extends Kind {
  readonly metadata: Metadata
  readonly [field: string]: unknown
}

/** A resource that has a subresource `status`, by the name in its path. */
export interface StatusKind extends Kind {
  readonly plural: string
}

/** The objects of one namespace. What the cluster refuses is refused with its reason, and never with an object. */
export interface Cluster {
  readonly namespace: string
  /** Undefined where there is none of that name, or none of that kind. */
  read<T extends ClusterObject>(kind: Kind, name: string): Promise<T | undefined>
  list<T extends ClusterObject>(kind: Kind): Promise<readonly T[]>
  create(object: ClusterObject): Promise<void>
  /** Of the version that was read: refuses where somebody has changed it meanwhile. */
  replace(object: ClusterObject): Promise<void>
  replaceStatus(kind: StatusKind, object: ClusterObject): Promise<void>
}

/** By the service account of the pod, or, where there is none, by the user's own kubeconfig. */
export function openCluster(namespace: string, user: ClusterUser = {}): Cluster {
  return clusterOf(openConfig(user), namespace)
}

function clusterOf(config: KubeConfig, namespace: string): Cluster {
  const objects = KubernetesObjectApi.makeApiClient(config)
  const custom = config.makeApiClient(CustomObjectsApi)
  const placed = ({ metadata, ...object }: ClusterObject) =>
    ({ ...object, metadata: { ...metadata, namespace } }) as KubernetesObject
  return {
    namespace,
    read: async <T extends ClusterObject>(kind: Kind, name: string) => {
      const reading: Promise<unknown> = objects.read({ ...kind, metadata: { name, namespace } })
      return (await unlessMissing(`read ${kind.kind} ${name}`, reading)) as T | undefined
    },
    list: async <T extends ClusterObject>(kind: Kind) => {
      const { apiVersion, kind: name } = kind
      const listing = objects.list(apiVersion, name, namespace) as Promise<{ items: unknown[] }>
      const found = await unlessMissing(`list ${name}`, listing)
      // The items of a list do not say what they are.
      return (found?.items ?? []).map((item) => ({ ...kind, ...(item as object) }) as unknown as T)
    },
    create: async (object) => {
      await orRefuse(`create ${nameOf(object)}`, objects.create(placed(object)))
    },
    replace: async (object) => {
      await orRefuse(`replace ${nameOf(object)}`, objects.replace(placed(object)))
    },
    replaceStatus: async ({ apiVersion, plural }, object) => {
      const [group = '', version = ''] = apiVersion.split('/')
      const { name } = object.metadata
      const body = placed(object)
      const at = { group, version, namespace, plural, name, body }
      const done = custom.replaceNamespacedCustomObjectStatus(at) as Promise<unknown>
      await orRefuse(`replace the status of ${nameOf(object)}`, done)
    },
  }
}

const nameOf = ({ kind, metadata }: ClusterObject) => `${kind} ${metadata.name}`

async function unlessMissing<T>(what: string, doing: Promise<T>): Promise<T | undefined> {
  try {
    return await orRefuse(what, doing)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ERR_CLUSTER_MISSING') return undefined
    throw error
  }
}
