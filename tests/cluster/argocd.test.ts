// manifests/argocd and promote against the real Argo CD.
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { linesUnder } from '../docs/command.ts'
import { openTerminal, type Terminal } from '../docs/terminal.ts'
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
const promoteMs = 180_000
const promoteScript = fileURLToPath(new URL('../../scripts/promote.ts', import.meta.url))

let lab: Lab
let cluster: Cluster
let region: PulledRegion
let home: string
let terminal: Terminal

test.before('a cluster with Argo CD, and bootstrap', async (t) => {
  const report = (line: string): void => t.log(line)
  lab = await startLab({ regions: ['ams3'], nodes: 1, report })
  cluster = lab.cluster('ams3')
  const repository = await serveRepository(lab, 'archipelago')
  region = await makePulledRegion(lab, repository)
  await installArgoCd(cluster, lab.toolbox, { authorities: repository.authorities, report })
  home = join(lab.folder, 'home')
  terminal = openTerminal({
    ...{ clone: region.tree, home, prefix: lab.client.prefix },
    env: { KUBECONFIG: cluster.kubeconfig(), PATH: `${lab.toolbox.bin}:${process.env['PATH']}` },
  })
  await type(/^kubectl apply/)
  t.regex(await type(/discover-gateways/), /^wrote regions\.ams3\.nodes: [\d.]+$/m)
  await region.push({})
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
    t.regex(await type(/promote\.ts$/), /^✔ ams3 runs/m)
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
      t.regex(await type(/promote\.ts --rollback$/), /^✔ ams3 runs/m)
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

test.serial(
  'a private repository, and who signs commits, are told as the document says',
  async (t) => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const files = {
      deploy: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      signers: JSON.stringify({ data: { '4AEE18F83AFDEB23': 'a key' } }),
    }
    for (const [name, content] of Object.entries(files)) writeFileSync(join(home, name), content)
    const secret = 'kubectl -n argocd create secret generic repository --from-literal=type=git'
    const from = '--from-literal=url=git@git.example:archipelago.git'
    await terminal.type(`${secret} ${from} --from-file=sshPrivateKey=${home}/deploy`)
    const label = 'argocd.argoproj.io/secret-type=repository'
    await terminal.type(`kubectl -n argocd label secret repository ${label}`)
    const path = ['-n', 'argocd', 'get', 'secret', '-l', label, '-o', 'name']
    t.is(await cluster.kubectl(path), 'secret/repository\n')
    const patch = 'kubectl -n argocd patch configmap argocd-gpg-keys-cm --patch-file'
    t.regex(await terminal.type(`${patch} ${home}/signers`), /patched/)
  },
)

test.serial('a commit is signed and sealed as the document says', async (t) => {
  const who = 'operator@archipelago.example'
  await terminal.type(`gpg --batch --passphrase '' --quick-generate-key ${who} ed25519`)
  try {
    await terminal.type(`git config user.signingkey ${who}`)
    const commit = "git commit -S --signoff --trailer='Argocd-gpg-seal: from here on'"
    await terminal.type(`${commit} --allow-empty -m seal`)
    const shown = await terminal.type('git --no-pager log -1 --format="%G? %(trailers)"')
    t.regex(shown, /^[GU] Signed-off-by: .*\nArgocd-gpg-seal: from here on$/m)
  } finally {
    await terminal.type('gpgconf --kill all')
  }
})

/** The line of docs/operations.md. */
function type(line: RegExp): Promise<string> {
  const lines = linesUnder('docs/operations.md', 'Regions that pull')
  const [found, ...others] = lines.filter((each) => line.test(each))
  if (found === undefined || others.length > 0) throw new RangeError(`not one line: ${line}`)
  return terminal.type(found, { deadlineMs: promoteMs })
}

/** As the operator does, from the internet. */
function promote(...args: string[]): Promise<string> {
  return lab.client.run(process.execPath, [promoteScript, ...args], {
    cwd: region.tree,
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig() },
    deadlineMs: promoteMs,
  })
}
