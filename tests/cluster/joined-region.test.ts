// A region joins in two steps, with all that its overlay holds but Argo CD: its keys are born in the cluster,
// its operator adopts them by his own kubectl, and it proves itself.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { parseDocument } from 'yaml'
import { readJwkSet } from '../../core/identity/jwk-set.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { renderComponent } from '../../image/component.ts'
import { linesUnder } from '../docs/command.ts'
import { openTerminal, type Terminal } from '../docs/terminal.ts'
import { until } from '../until.ts'
import { installCertManager } from './addons/cert-manager.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { succeeds } from './lab/succeeds.ts'
import { run } from './lab/run.ts'
import { leftOf } from './left-of.ts'
import { monitor, serversOf } from './network/gateways.ts'
import { wayInto } from './network/way-in.ts'
import { makeProjectImages } from './project-images.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'archipelago-joined-'))
const [clone, data] = [join(folder, 'clone'), join(folder, '.local/share/archipelago/archipelago')]
const patience = { deadlineMs: 180_000 }
const doors = ['lobby', 'invite', 'identity']
const jwks = 'issuers/ams3-cluster.json'
let lab: Lab
let cluster: Cluster
let overlay: Manifest[]
let terminal: Terminal

test.before('a cluster with cert-manager, and a clone of the operator’s', async (t) => {
  const report = (line: string): void => t.log(line)
  const images = await makeProjectImages(join(folder, 'images'), report)
  lab = await startLab({ regions: ['ams3'], nodes: 2, images, report })
  cluster = lab.cluster('ams3')
  await installCertManager(cluster, lab.toolbox)
  mkdirSync(clone)
  cpSync(join(root, 'manifests'), join(clone, 'manifests'), { recursive: true })
  cpSync(join(root, 'archipelago.yaml'), join(clone, 'archipelago.yaml'))
  const component = join(clone, 'manifests/components/images/kustomization.yaml')
  writeFileSync(component, renderComponent(images))
  const git = (...args: string[]) => execFileSync('git', args, { cwd: clone })
  execFileSync('git', ['init', '-q', '--bare', '--initial-branch=main', join(folder, 'remote')])
  git('init', '-q', '--initial-branch=main')
  git('config', 'user.name', 'o')
  git('config', 'user.email', 'o@o')
  git('remote', 'add', 'origin', '../remote')
  terminal = openTerminal({
    ...{ clone, home: folder, prefix: lab.client.prefix, passphrase: 'correct horse battery' },
    env: { KUBECONFIG: cluster.kubeconfig(), PATH: `${lab.toolbox.bin}:${process.env['PATH']}` },
  })
  git('add', '--all')
  git('commit', '-q', '-m', 'begin')
  git('push', '-q', '-u', 'origin', 'main')
  const [guards, region] = await Promise.all(
    ['guards', 'overlays'].map((kind) =>
      buildKustomization(join(clone, 'manifests', kind, 'ams3')),
    ),
  )
  overlay = [...(guards ?? []), ...(region ?? [])].map(oneOfEach)
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  rmSync(folder, { recursive: true })
  t.deepEqual(leftOf(id), [])
})

test.serial(
  'the first step makes the keys in place, and publishes their public halves',
  async (t) => {
    const isFirst = ({ kind }: Manifest) =>
      /^(Namespace|CustomResource.*|ConfigMap|.*Account)$/.test(kind)
    // What Argo CD would run after a sync.
    const isProof = ({ kind, metadata }: Manifest) =>
      kind === 'Job' && metadata.name.startsWith('prove-region')
    await cluster.apply(overlay.filter(isFirst))
    await cluster.apply(overlay.filter((each) => !isFirst(each) && !isProof(each)))
    await kubectl('wait', 'job/region-keys', '--for=condition=Complete', '--timeout=120s')
    const asked = await until('the requests for authorities', () => regionPublic(), patience)
    t.notRegex(asked, /\bS[AOU][A-Z2-7]{56}\b|PRIVATE KEY/)
    const before = await secrets()
    t.deepEqual(Object.keys(before), [
      'leafnode',
      'monitor',
      ...doors.map((door) => `function-${door}`),
    ])

    // A second time, as with every sync.
    const job = overlay.filter(
      ({ kind, metadata }) => kind === 'Job' && metadata.name === 'region-keys',
    )
    await kubectl('delete', 'job/region-keys')
    await cluster.apply(job)
    await kubectl('wait', 'job/region-keys', '--for=condition=Complete', '--timeout=120s')
    t.deepEqual(await secrets(), before)
    const outsider = await t.throwsAsync(
      kubectl('get', 'secret/svid-leafnode', '--as', 'system:serviceaccount:nats:region-keys'),
    )
    t.regex(outsider?.message ?? '', /forbidden/i)
  },
)

test.serial('the second step signs them, and the region serves', async (t) => {
  const events = () => terminal.type('kubectl -n nats get events')
  await until('the pods to say why they wait', async () =>
    /region ams3 is not adopted: run npx/.test(await events()),
  )
  const [bootstrap = '', makeRoot = '', adopt = ''] = linesUnder(
    'docs/operations.md',
    'A region in its cluster',
  )
  await terminal.type(bootstrap)
  await terminal.type(makeRoot)
  t.regex(await terminal.type(adopt), /^ams3, identity: signed: .*\n(.*\n)*committed: /m)
  const again = linesUnder('docs/operations.md', 'Regions that pull').filter((line) =>
    line.includes('adopt-region'),
  )
  for (const line of [...again, ...linesUnder('README.md', 'Three clusters').slice(1)])
    t.regex(await terminal.type(line), /was signed before: (.*\n)*nothing to write$/m)
  await cluster.apply(await buildKustomization(join(clone, 'manifests/trust/ams3')))
  await kubectl('wait', 'certificate', '--all', '--for=condition=Ready', '--timeout=120s')
  for (const workload of [
    'statefulset/ams3',
    ...doors.map((door) => `deployment/function-${door}`),
  ])
    await cluster.kubectl(['-n', 'nats', 'rollout', 'status', workload, '--timeout=240s'], {
      deadlineMs: 250_000,
    })
  t.pass()
})

test.serial('it proves what it owes, and names the peers that are not there', async (t) => {
  t.is(await prove(), 'Complete')
  const { proven, apart } = JSON.parse(await resultOf()) as { proven: string[]; apart: string[] }
  t.deepEqual(apart, ['sfo2', 'sgp1'])
  t.deepEqual(proven, [
    '3 servers, their routes and leafnodes',
    'a credential of member',
    'a message from server to server on chat.KUBECON.online',
  ])
})

test.serial('its monitor shows what its servers do', async (t) => {
  const path = 'jsonpath={.items[0].metadata.name}'
  const pod = await kubectl('get', 'pods', '-l', 'app.kubernetes.io/name=monitor', '-o', path)
  const raw = `/api/v1/namespaces/nats/pods/${pod}:7777/proxy/metrics`
  const text = await kubectl('get', '--raw', raw)
  t.regex(text, /^nats_monitor_up\{region="ams3"\} 1$/m)
  for (const server of serversOf(cluster))
    t.regex(text, new RegExp(`^nats_server_up\\{region="ams3",server="${server}"\\} 1$`, 'm'))
  t.regex(text, /^nats_server_certificate_expiry_seconds\{.*listener="gateway"\} \d{10}/m)
  t.regex(text, /^nats_server_gateway_connections\{.*peer="sfo2",direction="out"\} 0$/m)
  t.regex(text, /^nats_server_leafnodes\{.*\} [1-9]/m)
})

test.serial(
  'people come in from outside of the cluster, and are seen as who they are',
  async (t) => {
    const lobby = join(data, 'public', 'archipelago.lobby.json')
    const { place } = wayInto(lab, cluster, lobby)
    const ask = async (name: string, transport: string): Promise<void> => {
      const out = ['--name', name, '--out', join(folder, `${name}.creds`)]
      const asking = join(root, 'scripts/request-credentials.ts')
      const [program = '', ...args] = [...place, process.execPath, asking, ...out]
      await run(program, [...args, '--network', lobby, '--transport', transport])
    }
    // Whichever node has the door's only pod.
    await ask('by-https', 'https')
    await ask('by-nats', 'nats')
    const { address } = lab.client
    t.true((await addressesOfClients()).has(address))

    const known = await addressesOfClients()
    const hide = JSON.stringify({ spec: { externalTrafficPolicy: 'Cluster' } })
    await kubectl('patch', 'service/nats-client', '-p', hide)
    await until('a person to be hidden behind a node', async () => {
      await ask(`hidden-${Date.now()}`, 'nats')
      return [...(await addressesOfClients())].some((each) => !known.has(each))
    })
  },
)

test.serial(
  'the keys of the cluster’s tokens came with it, and are believed when named',
  async (t) => {
    const file = join(clone, jwks)
    const keys = () => readJwkSet(JSON.parse(readFileSync(file, 'utf8')), 'sig')
    const adopted = keys()
    await terminal.type(`kubectl get --raw /openid/v1/jwks > ${jwks}`)
    t.deepEqual(keys(), adopted)
    const discovery = 'kubectl get --raw /.well-known/openid-configuration'
    const { issuer } = JSON.parse(await terminal.type(discovery)) as { issuer: string }
    const yaml = join(clone, 'archipelago.yaml')
    const edited = parseDocument(readFileSync(yaml, 'utf8'))
    edited.set('issuers', { own: { kind: 'kubernetes', issuer, jwks, regions: ['ams3'] } })
    const subject = 'system:serviceaccount:shop:orders'
    edited.addIn(['roles', 'announcer', 'identity'], { issuer: 'own', subject })
    writeFileSync(yaml, edited.toString({ lineWidth: 0 }))
    const shown = await terminal.type('npx node scripts/adopt-region.ts ams3')
    t.regex(shown, /ams3 signs tokens as https:.*: keys /)
    t.notRegex(shown, /nobody believes them/)
    await cluster.apply(await buildKustomization(join(clone, 'manifests/trust/ams3')))
  },
)

test.serial(
  'a workload of the cluster gets a credential for its token, another one none',
  async (t) => {
    await cluster.kubectl(['create', 'namespace', 'shop'])
    const lobby = join(data, 'public', 'archipelago.lobby.json')
    const { place: prefix } = wayInto(lab, cluster, lobby)
    const outside = openTerminal({ clone, home: folder, prefix })
    const at = (name: string) => join(folder, name)
    const ask = `npx node scripts/exchange-token.ts --network ${lobby} --key ${at('orders.nk')}`
    const audience = /\S+:nkey:U\w+/.exec(await outside.type(`${ask} --print-audience`))?.[0]
    for (const name of ['orders', 'other']) {
      await terminal.type(`kubectl -n shop create serviceaccount ${name}`)
      const token = `kubectl create token ${name} --audience ${audience} --namespace shop`
      await terminal.type(`${token} > ${at(name)}`)
    }
    const exchange = (name: string) =>
      outside.type(`${ask} --token-file ${at(name)} --role announcer --out ${at(name)}.creds`)
    // A mounted ConfigMap is new within a minute or two.
    await until('the function to believe the cluster', () => succeeds(exchange('orders')), patience)
    t.regex(readFileSync(at('orders.creds'), 'utf8'), /-----BEGIN NATS USER JWT-----/)
    const other = await t.throwsAsync(exchange('other'))
    t.regex(other?.message ?? '', /no role is given to 'own\|system:serviceaccount:shop:other'/)
  },
)

/** Of all that are and were connected. */
async function addressesOfClients(): Promise<Set<string>> {
  const answers = await Promise.all(
    serversOf(cluster).map(
      async (pod) =>
        (await monitor(cluster, pod, 'connz?state=any')) as { connections: { ip: string }[] },
    ),
  )
  return new Set(answers.flatMap(({ connections }) => connections.map(({ ip }) => ip)))
}

test.serial(
  'it fails on a gateway that was up before, and on a door that nobody serves',
  async (t) => {
    const before = JSON.stringify({ data: { 'before.json': '{"ams3-1":["sfo2"]}' } })
    await kubectl('patch', 'configmap/region-proof', '-p', before)
    await kubectl('scale', 'deployment/function-invite', '--replicas=0')
    t.is(await prove('10'), 'Failed')
    const said = await kubectl('logs', 'job/prove-region', '--tail=3')
    t.regex(said, /ams3-1: no gateway to sfo2 any more/)
    t.regex(said, /function-invite-: no leafnode is connected/)
  },
)

/** Two processors have much to do here. */
function oneOfEach(manifest: Manifest): Manifest {
  const { kind, metadata, ...rest } = manifest as Manifest & { readonly spec?: object }
  if (kind !== 'Deployment' || !metadata.name.startsWith('function-')) return manifest
  return { kind, metadata, ...rest, spec: { ...rest.spec, replicas: 1 } } as Manifest
}

const kubectl = (...args: string[]) =>
  cluster.kubectl(['--namespace', 'nats', ...args], { deadlineMs: 250_000 })

async function regionPublic(): Promise<string | undefined> {
  const text = await kubectl('get', 'configmap/region-public', '-o', 'json').catch(() => '')
  return text.includes('identity.csr') && text.includes('public.csr') ? text : undefined
}

/** Digests would do; nothing of it is printed. */
async function secrets(): Promise<Record<string, string>> {
  const names = ['leafnode', 'monitor', ...doors.map((door) => `function-${door}`)]
  const entries = names.map(async (name) => {
    const text = await kubectl('get', 'secret', name, '-o', 'jsonpath={.data}')
    return [name, text] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** Hands back how the job ended; its own patience may be shorter. */
async function prove(seconds?: string): Promise<string> {
  const [job] = overlay.filter(
    ({ kind, metadata }) => kind === 'Job' && metadata.name === 'prove-region',
  )
  if (job === undefined) throw new RangeError('no job prove-region')
  await kubectl('delete', 'job/prove-region', '--ignore-not-found')
  const hasty = structuredClone(job) as unknown as HastyJob
  hasty.spec.backoffLimit = 0
  if (seconds !== undefined)
    hasty.spec.template.spec.containers[0]?.env.push({ name: 'PROOF_SECONDS', value: seconds })
  await cluster.apply([hasty])
  const ended = async () => {
    const path = '{range .status.conditions[?(@.status=="True")]}{.type} {end}'
    const types = await kubectl('get', 'job/prove-region', '-o', `jsonpath=${path}`)
    return /Complete|Failed/.exec(types.replace(/\w+Target|SuccessCriteriaMet/g, ''))?.[0]
  }
  return until('the proof to end', ended, patience)
}

interface HastyJob {
  readonly spec: {
    backoffLimit: number
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env: { name: string; value: string }[] }[]
      }
    }
  }
}

const resultOf = () =>
  kubectl('get', 'configmap/region-proof', '-o', 'jsonpath={.data.result\\.json}')
