// The whole, as an operator with three clusters does it: push, two steps a region, and watch.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { until } from '../until.ts'
import { serveRepository } from './addons/repository.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { leftOf } from './left-of.ts'
import { gatewaysOf, serversOf } from './network/gateways.ts'
import { joinAsMember } from './network/member.ts'
import { openOperator, type Operator } from './network/operator.ts'
import {
  adoptRegion,
  awaitHealthy,
  installPlatform,
  refresh,
  startRegion,
} from './network/region.ts'
import { makeProjectImages } from './project-images.ts'

const regions = ['ams3', 'sfo2', 'sgp1']
const archives = mkdtempSync(join(tmpdir(), 'archipelago-images-'))
const subject = 'chat.KUBECON.posts.General'
let lab: Lab
let operator: Operator
let say: (line: string) => void

test.before('three clusters with Argo CD and cert-manager, and a pushed repository', async (t) => {
  say = timed(t)
  const images = await makeProjectImages(archives, say)
  lab = await startLab({ regions, nodes: 2, images, report: say })
  const { authorities, ...repository } = await serveRepository(lab, 'archipelago')
  operator = await openOperator(lab, { authorities, ...repository }, images)
  await operator.push('as an operator begins')
  await Promise.all(
    lab.clusters.map((cluster) => installPlatform(lab, cluster, { authorities, report: say })),
  )
  say('Argo CD and cert-manager are there')
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  rmSync(archives, { recursive: true })
  t.deepEqual(leftOf(id), [])
})

test.serial('the first region becomes healthy before the others exist', async (t) => {
  const first = lab.cluster('ams3')
  await startRegion(operator, first)
  await adoptRegion(lab, operator, first)
  await pushed()
  await awaitHealthy(first)
  say('ams3 is synced and healthy, alone')
  t.deepEqual(await gatewaysOf(first), { 'ams3-0': [], 'ams3-1': [], 'ams3-2': [] })
})

test.serial('the others join, and nine servers are one supercluster', async (t) => {
  const others = lab.clusters.filter(({ region }) => region !== 'ams3')
  await Promise.all(others.map((cluster) => startRegion(operator, cluster)))
  for (const cluster of others) await adoptRegion(lab, operator, cluster)
  await pushed()
  await Promise.all(lab.clusters.map((cluster) => awaitHealthy(cluster)))
  say('all are synced and healthy')
  for (const cluster of lab.clusters) {
    const whole = Object.fromEntries(
      serversOf(cluster).map((name) => [name, regions.filter((each) => each !== cluster.region)]),
    )
    await until(`every gateway of ${cluster.region}`, async () =>
      isSame(await gatewaysOf(cluster), whole),
    )
  }
  say('every server has both gateways')
  t.pass()
})

test.serial('each region hands out credentials, and what one says all hear', async (t) => {
  const members = await Promise.all(
    lab.clusters.map((cluster) => joinAsMember(lab, operator, cluster)),
  )
  say('every region has handed out a credential')
  const [speaker, ...listeners] = members
  const heard = Promise.all(listeners.map((listener) => listener.hear(subject)))
  let isOver = false
  void heard.finally(() => (isOver = true)).catch(() => {})
  // A subscription that has only just come is known in other regions a moment later.
  await until('the others to hear it', async () => {
    await speaker?.publish(subject, 'from ams3')
    return isOver
  })
  t.deepEqual(
    (await heard).map((text) => text.trim()),
    listeners.map(() => 'from ams3'),
  )
})

test.serial('what changes one region reaches that one alone, and drift is healed', async (t) => {
  const [changed, ...others] = lab.clusters as [Cluster, ...Cluster[]]
  const file = join(operator.folder, 'manifests', 'overlays', changed.region, 'kustomization.yaml')
  appendFileSync(file, annotated)
  const start = performance.now()
  const commit = await operator.push('a note on the clients of one region')
  await Promise.all(lab.clusters.map((cluster) => refresh(cluster)))
  await awaitHealthy(changed, { commit })
  say(`from push to healthy in ${changed.region}: ${seconds(start)} s`)
  await Promise.all(others.map((cluster) => awaitHealthy(cluster, { commit })))
  t.is(await noteOf(changed), 'one')
  for (const other of others) t.is(await noteOf(other), '')
  const scale = ['-n', 'nats', 'scale', 'deployment/function-lobby', '--replicas=0']
  await changed.kubectl(scale)
  await until('drift to be healed', async () => (await replicasOf(changed)) === '2', {
    deadlineMs: 120_000,
  })
  await awaitHealthy(changed, { commit })
})

const annotated = `patches:
  - target: { kind: Service, name: nats-client }
    patch: '[{"op": "add", "path": "/metadata/annotations", "value": {"note": "one"}}]'
`

const seconds = (start: number): string => ((performance.now() - start) / 1000).toFixed(1)

const noteOf = ({ kubectl }: Cluster): Promise<string> =>
  kubectl([...ofService, '-o', 'jsonpath={.metadata.annotations.note}'])

const ofService = ['-n', 'nats', 'get', 'service', 'nats-client']

const replicasOf = ({ kubectl }: Cluster): Promise<string> =>
  kubectl([...ofDoor, '-o', 'jsonpath={.status.readyReplicas}'])

const ofDoor = ['-n', 'nats', 'get', 'deployment', 'function-lobby']

async function pushed(): Promise<void> {
  await operator.git('push', '--quiet', 'origin', 'main')
  await Promise.all(lab.clusters.map((cluster: Cluster) => refresh(cluster)))
}

const isSame = (one: object, other: object): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

/** Heard also while the tests run, for they run for minutes. */
function timed(t: ExecutionContext): (line: string) => void {
  const start = performance.now()
  return (line) => {
    const text = `${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${line}`
    t.log(text)
    console.error(text)
  }
}
