// One region as its operator brings it up: what is installed, the two steps, and what Argo CD says.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { until } from '../../until.ts'
import { installArgoCd } from '../addons/argo-cd.ts'
import { installCertManager } from '../addons/cert-manager.ts'
import type { Repository } from '../addons/repository.ts'
import { installSealedSecrets } from '../addons/sealed-secrets.ts'
import type { Cluster } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'
import { describeTroubles } from '../lab/troubles.ts'
import { passphraseIn, type Operator } from './operator.ts'

type Report = (line: string) => void

/** What a cluster has before it hears of us. */
export async function installPlatform(
  lab: Lab,
  cluster: Cluster,
  { authorities, report }: { authorities: Repository['authorities']; report: Report },
): Promise<void> {
  await Promise.all([
    installCertManager(cluster, lab.toolbox),
    installArgoCd(cluster, lab.toolbox, { authorities, report }),
    installSealedSecrets(cluster, lab.toolbox),
  ])
}

/** The first step. */
export async function startRegion({ folder }: Operator, cluster: Cluster): Promise<void> {
  await cluster.apply(join(folder, 'manifests', 'argocd', 'bootstrap', cluster.region))
}

/** The second, up to the push: reads what the cluster has published, signs, commits. */
export async function adoptRegion(lab: Lab, operator: Operator, cluster: Cluster): Promise<string> {
  const { region, kubectl } = cluster
  const get = ['-n', 'nats', 'get', 'configmap', 'region-public', '-o', 'json']
  const text = await until(
    `${region} to publish its keys`,
    async () => {
      const said = await kubectl(get).catch(() => '')
      return hasRequests(said) && said
    },
    { deadlineMs: 600_000 },
  ).catch(explain(cluster))
  const file = join(lab.folder, `${region}.public.json`)
  writeFileSync(file, text)
  return operator.script(
    'adopt-region',
    region,
    ...['--file', file, '--passphrase-file', passphraseIn(lab), '--yes'],
  )
}

const hasRequests = (text: string): boolean =>
  ['identity.csr', 'public.csr'].every((name) => text.includes(`"${name}":`))

export interface ApplicationState {
  readonly sync: string
  readonly health: string
  readonly revision: string
  /** Of the last operation. */
  readonly phase: string
  /** What Argo CD cannot do, and why. */
  readonly errors: string
}

export async function stateOf({ kubectl }: Cluster, name: string): Promise<ApplicationState> {
  const said = await kubectl(['-n', 'argocd', 'get', 'application', name, '-o', 'json'])
  const { status } = parse(said) as {
    status?: {
      sync?: { status?: string; revision?: string }
      health?: { status?: string }
      operationState?: { phase?: string }
      conditions?: readonly { type: string; message: string }[]
    }
  }
  return {
    sync: status?.sync?.status ?? 'Unknown',
    health: status?.health?.status ?? 'Unknown',
    revision: status?.sync?.revision ?? '',
    phase: status?.operationState?.phase ?? '',
    errors: (status?.conditions ?? [])
      .filter(({ type }) => type.endsWith('Error'))
      .map(({ message }) => message)
      .join('\n'),
  }
}

/** As a webhook of the repository would. */
export async function refresh({ kubectl }: Cluster): Promise<void> {
  const annotation = 'argocd.argoproj.io/refresh=normal'
  await kubectl(['-n', 'argocd', 'annotate', 'applications', '--all', annotation, '--overwrite'])
}

/** Synced to the commit, if one is named, healthy, and proven: a sync goes on until its proof is there. */
export async function awaitHealthy(
  cluster: Cluster,
  { commit, deadlineMs = 600_000 }: { commit?: string; deadlineMs?: number } = {},
): Promise<void> {
  const names = ['nats', 'trust']
  await until(
    `${cluster.region} to be synced and healthy`,
    async () => {
      const states = await Promise.all(
        names.map((name) => stateOf(cluster, name).catch(() => undefined)),
      )
      return states.every(
        (state) =>
          state?.sync === 'Synced' &&
          state.health === 'Healthy' &&
          state.phase === 'Succeeded' &&
          (commit === undefined || state.revision === commit),
      )
    },
    { deadlineMs },
  ).catch(explain(cluster))
}

function explain(cluster: Cluster) {
  return async (cause: unknown): Promise<never> => {
    const { kubectl } = cluster
    const applications = await kubectl(['-n', 'argocd', 'get', 'applications', '-o', 'wide'])
    const why = await describeTroubles(kubectl, 'nats')
    throw new Error(`${(cause as Error).message}\n${applications}\n${why}`, { cause })
  }
}
