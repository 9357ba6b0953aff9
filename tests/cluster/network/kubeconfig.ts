// The operator's kubeconfig: a context for each region, named as the region.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Lab } from '../lab/lab.ts'

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: object }]
  readonly users: readonly [{ readonly user: object }]
}

/** Of the clusters as they are now; the file. */
export function writeOperatorKubeconfig({ folder, clusters }: Lab): string {
  const all = clusters.map((cluster) => ({
    name: cluster.region,
    own: parse(readFileSync(cluster.kubeconfig(), 'utf8')) as Kubeconfig,
  }))
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: all.map(({ name, own }) => ({ name, cluster: own.clusters[0].cluster })),
    users: all.map(({ name, own }) => ({ name, user: own.users[0].user })),
    contexts: all.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
  })
  const file = join(folder, 'operator.kubeconfig')
  writeFileSync(file, text, { mode: 0o600 })
  return file
}
