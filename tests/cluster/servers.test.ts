// The servers of one region in a real cluster, from their overlay: without Argo CD, cert-manager and functions.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { containersOf, podsOf } from '../../gitops/pods.ts'
import type { WrittenImage } from '../../image/write-archive.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { run } from '../run-script.ts'
import { until } from '../until.ts'
import { makeTrust, type HandMadeTrust } from './hand-made-trust.ts'
import { namespaceFile } from './lab/clean.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { names as networkNames } from './lab/network.ts'
import { describeTroubles } from './lab/troubles.ts'
import { monitor } from './network/gateways.ts'
import { makeProjectImages } from './project-images.ts'

const root = join(import.meta.dirname, '../..')
const archipelago = readArchipelago(join(root, 'archipelago.yaml'))
const archives = mkdtempSync(join(tmpdir(), 'archipelago-images-'))
const names = ['ams3-0', 'ams3-1', 'ams3-2']
const patience = { deadlineMs: 180_000 }
let lab: Lab
let cluster: Cluster
let trust: HandMadeTrust

test.before('a cluster with the servers of ams3, which is not adopted', async (t) => {
  const report = (line: string): void => t.log(line)
  const images = await makeProjectImages(archives, report)
  lab = await startLab({ regions: ['ams3'], nodes: 2, images, report })
  cluster = lab.cluster('ams3')
  trust = await makeTrust(archipelago, 'ams3')
  const built = await buildKustomization(join(root, 'manifests/overlays/ams3'))
  const [namespace, ...rest] = ofServers(built)
  await cluster.apply([namespace as object])
  await cluster.apply(rest.map((manifest) => withImages(manifest, images)))
})

test.after.always('what is left', async () => {
  rmSync(archives, { recursive: true })
  await lab.stop()
})

test.serial('before its adoption a pod waits, and its events say for what', async (t) => {
  const reason = await until('an event with the reason', () => eventOf(/is not adopted/), patience)
  t.regex(reason, /region ams3 is not adopted: run npx node scripts\/adopt-region\.ts ams3/)
  const { initContainerStatuses: [watcher] = [], containerStatuses: [server] = [] } =
    await statusOf('ams3-0')
  t.is(watcher?.restartCount, 0)
  t.false(server?.started)
})

test.serial('between adoption and certificates it waits for those', async (t) => {
  await cluster.apply(trust.maps)
  const reason = await until('an event', () => eventOf(/has not issued yet/), patience)
  t.regex(reason, /cert-manager of region ams3 has not issued yet/)
})

test.serial('with both, three servers mesh by the names of their certificates', async (t) => {
  await cluster.apply(trust.secrets)
  await allReady()
  for (const name of names) {
    const routes = await until(`the routes of ${name}`, async () => {
      const { routes } = (await monitor(cluster, name, 'routez')) as {
        routes: { remote_name: string }[]
      }
      const peers = [...new Set(routes.map(({ remote_name: peer }) => peer))].toSorted()
      return peers.length === names.length - 1 && peers
    })
    t.deepEqual(
      routes,
      names.filter((other) => other !== name),
    )
  }
})

test.serial('a dry run on its server finds what only a server knows', async (t) => {
  const clone = join(archives, 'clone')
  for (const path of ['manifests', 'archipelago.yaml'])
    cpSync(join(root, path), join(clone, path), { recursive: true })
  for (const path of ['argocd', 'trust', 'overlays/sfo2', 'overlays/sgp1'])
    rmSync(join(clone, 'manifests', path), { recursive: true })
  const file = join(clone, 'manifests/base/server/service-client.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('port: 4222', 'port: 99999'))
  const server = `--net=${namespaceFile(networkNames.node(lab.id, 'ams3', 1))}`
  const script = [process.execPath, join(root, 'scripts/validate-manifests.ts')]
  const { code, stdout } = await run(
    'nsenter',
    [server, ...script, '--kubeconfig', cluster.kubeconfig()],
    {
      cwd: clone,
    },
  )
  t.is(code, 1, stdout)
  t.regex(stdout, /^✘ server-side dry run +\d+ objects$/m)
  t.regex(stdout, /Service nats\/nats-client: .*\.port: Invalid value: 99999/)
  // What is there already is taken as it is.
  t.notRegex(stdout, /StatefulSet nats\/ams3:/)
})

test.serial('a limit that changes reloads, and restarts nothing', async (t) => {
  const before = await started()
  const get = ['-n', 'nats', 'get', 'configmap', 'nats-reload', '-o', 'json']
  const map = JSON.parse(await cluster.kubectl(get)) as { data: Record<string, string> }
  const text = map.data['limits.conf']?.replace('max_connections: 1000', 'max_connections: 777')
  const patch = JSON.stringify({ data: { 'limits.conf': text } })
  await cluster.kubectl(['-n', 'nats', 'patch', 'configmap', 'nats-reload', '-p', patch])
  for (const name of names)
    await until(
      `${name} to take it`,
      async () => Object(await monitor(cluster, name, 'varz')).max_connections === 777,
      patience,
    )
  t.deepEqual(await started(), before)
})

test.serial('a server that is told to end moves its clients first, and comes back', async (t) => {
  const { kubectl } = cluster
  const log = kubectl(['-n', 'nats', 'logs', 'ams3-2', '-c', 'nats-server', '-f', '--tail=-1'], {
    deadlineMs: 180_000,
  })
  const start = performance.now()
  await kubectl(['-n', 'nats', 'delete', 'pod', 'ams3-2', '--wait=true'], { deadlineMs: 120_000 })
  const tookMs = performance.now() - start
  const said = await log
  t.regex(said, /Entering lame duck mode/)
  t.regex(said, /Server Exiting/)
  t.true(tookMs < 55_000, `killed after its grace: ${tookMs} ms`)
  await allReady()
})

/** Of the overlay, the namespace first. */
function ofServers(built: readonly Manifest[]): Manifest[] {
  const isServers = ({ kind, metadata }: Manifest) =>
    kind === 'Namespace' ||
    metadata.labels?.['app.kubernetes.io/name'] === 'nats' ||
    (kind === 'ConfigMap' && metadata.name.startsWith('nats-'))
  return built
    .filter(isServers)
    .toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'))
}

/** Of the sources as they are now, instead of the digests in git. */
function withImages(manifest: Manifest, images: readonly WrittenImage[]): Manifest {
  for (const pod of podsOf([manifest]))
    for (const container of containersOf(pod)) {
      const made = images.find(({ repository }) => container.image?.startsWith(`${repository}@`))
      if (made !== undefined) container.image = `${made.repository}@${made.digest}`
    }
  return manifest
}

interface PodStatus {
  readonly initContainerStatuses?: readonly ContainerStatus[]
  readonly containerStatuses?: readonly ContainerStatus[]
}

interface ContainerStatus {
  readonly restartCount: number
  readonly started?: boolean
  readonly state: { readonly running?: { readonly startedAt: string } }
}

async function statusOf(name: string): Promise<PodStatus> {
  const said = await cluster.kubectl(['-n', 'nats', 'get', 'pod', name, '-o', 'json'])
  return (JSON.parse(said) as { status: PodStatus }).status
}

/** When each server was started last. */
const started = () =>
  Promise.all(
    names.map(async (name) => (await statusOf(name)).containerStatuses?.[0]?.state.running),
  )

async function eventOf(shape: RegExp): Promise<string | false> {
  const get = ['-n', 'nats', 'get', 'events', '-o', 'custom-columns=WHAT:.message', '--no-headers']
  return (await cluster.kubectl(get)).split('\n').find((line) => shape.test(line)) ?? false
}

async function allReady(): Promise<void> {
  const wait = ['-n', 'nats', 'rollout', 'status', 'statefulset/ams3', '--timeout=240s']
  await cluster.kubectl(wait, { deadlineMs: 250_000 }).catch(async (cause: unknown) => {
    throw new Error(await describeTroubles(cluster.kubectl, 'nats'), { cause })
  })
}
