// A ConfigMap of which several programs each keep their own entries.
import type { Cluster, ClusterObject } from '../../kube/cluster.ts'

export const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' } as const

export interface ConfigMap extends ClusterObject {
  readonly data?: Readonly<Record<string, string>>
}

/** Whether it had to be changed; refuses where somebody else changes it at the same time. */
export async function keepEntries(
  cluster: Cluster,
  found: ConfigMap,
  data: Readonly<Record<string, string>>,
): Promise<boolean> {
  const known = found.data ?? {}
  if (Object.entries(data).every(([key, text]) => known[key] === text)) return false
  await cluster.replace({ ...found, ...configMapKind, data: { ...known, ...data } })
  return true
}
