// A program that asks a cluster by kube/, for cluster.test.ts: the API server answers in the lab's network only.
// What each attempt came to is printed as JSON.
import { Refusal } from '../../../core/errors.ts'
import { openCluster, type ClusterObject } from '../../../kube/cluster.ts'
import { readServiceAccountIssuer } from '../../../kube/service-account-issuer.ts'

const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' } as const
const absentKind = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate' } as const
const secretKind = { apiVersion: 'v1', kind: 'Secret' } as const
const cluster = openCluster('default')
const map = (text: string, version?: string): ClusterObject => ({
  ...configMapKind,
  metadata: { name: 'visited', ...(version !== undefined && { resourceVersion: version }) },
  data: { text },
})

const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
  'read what is not there': () => cluster.read(configMapKind, 'visited'),
  create: () => cluster.create(map('one')),
  'create again': () => cluster.create(map('two')),
  read: () => cluster.read(configMapKind, 'visited').then((found) => found?.['data']),
  replace: async () => {
    const found = await cluster.read(configMapKind, 'visited')
    await cluster.replace(map('three', found?.metadata.resourceVersion))
  },
  'replace what was changed since': () => cluster.replace(map('four', '1')),
  'read a kind that is not there': () => cluster.read(absentKind, 'visited'),
  'list a kind that is not there': () => cluster.list(absentKind),
  'list by kind': () =>
    cluster
      .list(configMapKind)
      .then((found) => found.map(({ kind, metadata }) => [kind, metadata.name])),
  'create what is illegal': () =>
    cluster.create({
      ...secretKind,
      metadata: { name: 'visited' },
      data: { word: 'not base64, and secret' },
    }),
  'read who signs tokens': () => readServiceAccountIssuer().then(({ issuer }) => issuer),
}

async function main(): Promise<void> {
  const outcomes: Record<string, unknown> = {}
  for (const name of process.argv.slice(2)) outcomes[name] = await outcomeOf(attempts[name])
  console.log(JSON.stringify(outcomes))
}

async function outcomeOf(attempt: (() => Promise<unknown>) | undefined): Promise<unknown> {
  try {
    return (await attempt?.()) ?? 'nothing'
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, message: error.message }
    throw error
  }
}

await main()
