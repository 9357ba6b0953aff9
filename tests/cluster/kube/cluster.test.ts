// kube/ against a real API server: what it answers, and what becomes of it.
import { join } from 'node:path'
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { parseDocument } from 'yaml'
import type { Cluster } from '../lab/cluster.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { leftOf } from '../left-of.ts'
import { until } from '../../until.ts'

const visitor = join(import.meta.dirname, 'visitor.ts')
const issuer = 'read who signs tokens'
let lab: Lab
let cluster: Cluster

test.before('a cluster', async (t) => {
  lab = await startLab({ regions: ['ams3'], nodes: 1, report: (line) => t.log(line) })
  cluster = lab.cluster('ams3')
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  t.deepEqual(leftOf(id), [])
})

test.serial(
  'objects are made, read, listed and replaced, and what is not there is nothing',
  async (t) => {
    const done = await visit('read what is not there', 'create', 'read', 'replace', 'list by kind')
    t.deepEqual(Object.values(done).slice(0, 4), ['nothing', 'nothing', { text: 'one' }, 'nothing'])
    t.true(
      (done['list by kind'] as string[][]).some(
        ([kind, name]) => `${kind} ${name}` === 'ConfigMap visited',
      ),
    )
    t.deepEqual(
      await visit('read', 'read a kind that is not there', 'list a kind that is not there'),
      {
        read: { text: 'three' },
        'read a kind that is not there': 'nothing',
        'list a kind that is not there': [],
      },
    )
  },
)

test.serial('who comes second is refused, and nothing is overwritten', async (t) => {
  const done = await visit('create again', 'replace what was changed since', 'read')
  for (const name of ['create again', 'replace what was changed since'])
    t.like(done[name], { code: 'ERR_CLUSTER_CONFLICT' })
  t.deepEqual(done['read'], { text: 'three' })
})

test.serial('a refusal has the server’s reason, and nothing of the object', async (t) => {
  const { 'create what is illegal': refused } = await visit('create what is illegal')
  t.like(refused, { code: 'ERR_CLUSTER_REFUSED' })
  t.notRegex(JSON.stringify(refused), /and secret/)
})

test.serial(
  'every service account may read who signs tokens, and no more, until that is taken away',
  async (t) => {
    const token = (await cluster.kubectl(['create', 'token', 'default'])).trim()
    const account = kubeconfigOf((user) => ({ ...user, token }))
    const { [issuer]: found, read } = await visitAs(account, issuer, 'read')
    const discovery = await cluster.kubectl(['get', '--raw', '/.well-known/openid-configuration'])
    t.is(found, (JSON.parse(discovery) as { issuer: string }).issuer)
    t.like(read, { code: 'ERR_CLUSTER_REFUSED' })
    t.regex(
      (read as { message: string }).message,
      /^cannot read ConfigMap visited: 403: .*forbidden/,
    )
    await cluster.kubectl([
      ...['delete', 'clusterrolebinding', 'system:service-account-issuer-discovery'],
    ])
    const isRefused = async () => (await visitAs(account, issuer))[issuer] !== found
    await until('the right to be gone', isRefused)
    t.like((await visitAs(account, issuer))[issuer], { code: 'ERR_CLUSTER_REFUSED' })
  },
)

test.serial(
  'a server that does not answer is said, and so is one of another authority',
  async (t) => {
    const nobody = kubeconfigOf((user) => user, { server: 'https://127.0.0.1:2' })
    const { read: silent } = await visitAs(nobody, 'read')
    t.like(silent, { code: 'ERR_CLUSTER_UNREACHABLE' })
    t.regex((silent as { message: string }).message, /fetch failed: .*ECONNREFUSED/)
    const foreign = kubeconfigOf((user) => user, { 'certificate-authority': undefined })
    const { read } = await visitAs(foreign, 'read')
    t.like(read, { code: 'ERR_CLUSTER_UNREACHABLE' })
    t.regex((read as { message: string }).message, /certificate/)
  },
)

const visit = (...names: string[]) => visitAs(cluster.kubeconfig(), ...names)

async function visitAs(KUBECONFIG: string, ...names: string[]): Promise<Record<string, unknown>> {
  const env = { ...process.env, KUBECONFIG }
  return JSON.parse(await lab.client.run(process.execPath, [visitor, ...names], { env }))
}

/** The administrator's, with another user or cluster in it. */
function kubeconfigOf(
  change: (user: object) => object,
  server: Readonly<Record<string, string | undefined>> = {},
): string {
  const file = parseDocument(readFileSync(cluster.kubeconfig(), 'utf8'))
  const { users, clusters, ...rest } = file.toJS() as {
    users: { name: string; user: object }[]
    clusters: { name: string; cluster: object }[]
  }
  const changed = {
    ...rest,
    users: users.map(({ name }) => ({ name, user: change({}) })),
    clusters: clusters.map(({ name, cluster: own }) => ({ name, cluster: { ...own, ...server } })),
  }
  const path = join(lab.folder, `${Object.keys(server).join()}kubeconfig`)
  writeFileSync(path, JSON.stringify(changed))
  return path
}
