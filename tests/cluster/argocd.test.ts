// manifests/argocd and promote against the real Argo CD.
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import test from 'ava'
import { until } from '../until.ts'
import { installArgoCd } from './addons/argo-cd.ts'
import { serveRepository } from './addons/repository.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { leftOf } from './left-of.ts'
import { named } from './objects.ts'
import { makePulledRegion, prove, text, type PulledRegion } from './pulled-region.ts'

const overlay = 'manifests/overlays/ams3'
const patient = { deadlineMs: 120_000 }
const promoteScript = fileURLToPath(new URL('../../scripts/promote.ts', import.meta.url))

let lab: Lab
let cluster: Cluster
let region: PulledRegion

test.before('a cluster with Argo CD, and bootstrap', async (t) => {
  const report = (line: string): void => t.log(line)
  lab = await startLab({ regions: ['ams3'], nodes: 1, report })
  cluster = lab.cluster('ams3')
  const repository = await serveRepository(lab, 'archipelago')
  region = await makePulledRegion(lab, repository)
  await installArgoCd(cluster, lab.toolbox, { authorities: repository.authorities, report })
  const bootstrap = join(region.tree, 'manifests/argocd/bootstrap/ams3')
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-k', bootstrap])
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  t.deepEqual(leftOf(id), [])
})

test.serial('bootstrap starts everything, and the root is healthy when all of it is', async (t) => {
  await until(
    'the root',
    async () => (await stateOf('root')) === 'Synced Healthy Succeeded',
    patient,
  )
  t.is(await stateOf('nats'), 'Synced Healthy Succeeded')
  t.is(await stateOf('trust'), 'Synced Healthy Succeeded')
  t.is(await textOf('text'), 'one')
})

test.serial(
  'a region that is pinned takes a commit only when it is promoted, and trust at once',
  async (t) => {
    t.regex(await promote(), /^✔ ams3 runs/m)
    const trust = { ...named('v1', 'ConfigMap', 'trust'), data: { text: '2' } }
    await region.push({
      [`${overlay}/text.yaml`]: text('two'),
      'manifests/trust/ams3/trust.yaml': trust,
    })
    await refresh('trust', 'nats', 'root')
    await until('trust to be there', async () => (await textOf('trust')) === '2', patient)
    t.is(await textOf('text'), 'one')
    t.regex(await promote(), /^✔ ams3 runs/m)
    t.is(await textOf('text'), 'two')
  },
)

test.serial(
  'what the walls do not admit is refused, and nothing of that commit is applied',
  async (t) => {
    const rbac = 'rbac.authorization.k8s.io'
    const everything = {
      ...named(`${rbac}/v1`, 'ClusterRoleBinding', 'everything'),
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'nats' }],
    }
    const elsewhere = { ...text('stolen'), metadata: { name: 'text', namespace: 'kube-system' } }
    for (const [what, object] of Object.entries({ everything, elsewhere })) {
      await region.push({
        [`${overlay}/kustomization.yaml`]: 'resources: [text.yaml, prove.yaml, planted.yaml]\n',
        [`${overlay}/planted.yaml`]: object,
        [`${overlay}/text.yaml`]: { ...text(what), metadata: { name: 'text', namespace: 'nats' } },
      })
      const said = await promote('--timeout', '30s').catch(String)
      t.regex(said, /not permitted in project/)
      t.is(await textOf('text'), 'two')
      t.regex(await promote('--rollback'), /^✔ ams3 runs/m)
    }
    await region.push({
      [`${overlay}/kustomization.yaml`]: 'namespace: nats\nresources: [text.yaml, prove.yaml]\n',
      [`${overlay}/planted.yaml`]: '',
      [`${overlay}/text.yaml`]: text('two'),
    })
  },
)

test.serial('a sync that hangs keeps out the next commit, and going back ends it', async (t) => {
  await region.push({
    [`${overlay}/prove.yaml`]: prove(false),
    [`${overlay}/text.yaml`]: text('three'),
  })
  t.regex(await promote('--timeout', '20s').catch(String), /\(exit 2\)/)
  // Of a child's status the root hears at its next turn.
  await until('the root to say so', async () => /Progressing/.test(await stateOf('root')), patient)
  t.is(await textOf('text'), 'three')
  t.regex(await promote('--rollback'), /^✔ ams3 runs/m)
  t.is(await textOf('text'), 'two')
})

const stateOf = (name: string): Promise<string> => {
  const path = '{.status.sync.status} {.status.health.status} {.status.operationState.phase}'
  return cluster.kubectl(['-n', 'argocd', 'get', 'application', name, '-o', `jsonpath=${path}`])
}

const textOf = (name: string): Promise<string> =>
  cluster.kubectl(['-n', 'nats', 'get', 'configmap', name, '-o', 'jsonpath={.data.text}'])

async function refresh(...names: string[]): Promise<void> {
  const annotation = 'argocd.argoproj.io/refresh=normal'
  for (const name of names)
    await cluster.kubectl([
      '-n',
      'argocd',
      'annotate',
      'application',
      name,
      annotation,
      '--overwrite',
    ])
}

/** As the operator does, from the internet; only of the one region that there is. */
function promote(...args: string[]): Promise<string> {
  return lab.client.run(process.execPath, [promoteScript, '--region', 'ams3', ...args], {
    cwd: region.tree,
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig() },
    deadlineMs: 180_000,
  })
}
