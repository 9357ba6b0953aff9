// Who may do what in a cluster, tried as others, and tried again with a wall taken out.
import type { Cluster } from './lab/cluster.ts'
import { named } from './objects.ts'

export function applyAs(cluster: Cluster, user: string, object: object): Promise<string> {
  const input = JSON.stringify(object)
  return cluster.kubectl(['apply', '--server-side', '--as', user, '-f', '-'], { input })
}

export function isDone(doing: Promise<unknown>): Promise<boolean> {
  return doing.then(
    () => true,
    () => false,
  )
}

export async function withObjects(
  cluster: Cluster,
  objects: readonly object[],
  use: () => Promise<void>,
): Promise<void> {
  await cluster.apply(objects)
  try {
    await use()
  } finally {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await cluster.kubectl(['delete', '-f', '-'], { input })
  }
}

/** While a policy is bound to nothing, it holds nothing back. */
export async function without(
  cluster: Cluster,
  policy: string,
  use: () => Promise<void>,
): Promise<void> {
  const path = ['get', 'validatingadmissionpolicybinding', policy, '-o', 'json']
  const { apiVersion, kind, metadata, spec } = JSON.parse(await cluster.kubectl(path))
  await cluster.kubectl(['delete', 'validatingadmissionpolicybinding', policy])
  try {
    await use()
  } finally {
    await cluster.apply([{ apiVersion, kind, metadata: { name: metadata.name }, spec }])
  }
}

export function grant(name: string, user: string, rules: readonly object[]): object[] {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
  const subject = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }
  return [
    { ...named('rbac.authorization.k8s.io/v1', 'ClusterRole', name), rules },
    {
      ...named('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', name),
      roleRef,
      subjects: [subject],
    },
  ]
}
