// The ways in for clients from outside of a region's cluster, each rendered into a copy of the manifests and
// built, and held against what the public lobby file tells them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { V1Service } from '@kubernetes/client-node'
import test from 'ava'
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { clusterCertificates } from '../../core/identity/cluster-certificates.ts'
import { outsideOfClusters } from '../../core/network/outside.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { allows, networkPolicies } from '../../gitops/network-policy.ts'
import { breachesOf } from '../../gitops/rules.ts'
import { archipelago, buildOverlay, forbidden, needed, toFlow, type NamedFlow } from './flows.ts'

const withClients = (clients: Region['clients']): Archipelago => ({
  ...archipelago,
  regions: archipelago.regions.map((region) => ({ ...region, clients })),
})

const ways = ['node-address', 'load-balancer', 'cluster'] as const
const builds = new Map<Region['clients'], readonly Manifest[]>()

const folder = mkdtempSync(join(tmpdir(), 'archipelago-clients-'))
test.after.always(() => rmSync(folder, { recursive: true }))

test.before('one overlay for each way in', async () => {
  for (const way of ways) builds.set(way, await buildOverlay(withClients(way), join(folder, way)))
})

const built = (way: Region['clients']): readonly Manifest[] => builds.get(way) ?? []

const services = (way: Region['clients']) =>
  built(way)
    .filter(({ kind, metadata }) => kind === 'Service' && /client|function/.test(metadata.name))
    .map((service) => {
      const { type, externalTrafficPolicy: policy, ports = [] } = (service as V1Service).spec ?? {}
      const opened = ports.map(({ port, nodePort }) =>
        nodePort === undefined ? port : [port, nodePort],
      )
      return [service.metadata.name, type, policy, ...opened] as const
    })

test('node-address: a port of every node for each listener', (t) => {
  const open = ['NodePort', 'Local'] as const
  t.deepEqual(services('node-address'), [
    ['function-identity', ...open, [8443, 30_426], [8444, 30_427]],
    ['function-invite', ...open, [8443, 30_425]],
    ['function-lobby', ...open, [8443, 30_424]],
    ['nats-client', ...open, [4222, 30_422], [9222, 30_423]],
  ])
})

test('load-balancer: one for the servers, and one for each door', (t) => {
  const open = ['LoadBalancer', 'Local'] as const
  t.deepEqual(services('load-balancer'), [
    ['function-identity', ...open, 8443, 8444],
    ['function-invite', ...open, 8443],
    ['function-lobby', ...open, 8443],
    ['nats-client', ...open, 4222, 9222],
  ])
})

test('cluster: nobody from outside', (t) => {
  for (const [, type, policy] of services('cluster'))
    t.deepEqual([type, policy], [undefined, undefined])
})

for (const way of ways)
  test(`${way}: what is built breaks no rule, and people are told names that certificates have`, (t) => {
    const changed = withClients(way)
    t.deepEqual(
      breachesOf({ folder: '', region: 'ams3', archipelago: changed, manifests: built(way) }),
      [],
    )
    const certificates = clusterCertificates(changed, 'ams3')
    const names = (name: string) => certificates.find((each) => each.name === name)?.dns ?? []
    const [told] = outsideOfClusters(changed)
    for (const server of told?.servers ?? [])
      t.true(names('public-nats-server').includes(new URL(server).hostname), server)
    for (const [door, url] of Object.entries(told?.https ?? {}))
      t.true(names(`public-function-${door}`).includes(new URL(url).hostname), url)
  })

test('where people are told to come, something answers', (t) => {
  const [told] = outsideOfClusters(withClients('node-address'))
  const ports = new Set(
    services('node-address').flatMap(([, , , ...opened]) => opened.flat().map(String)),
  )
  const urls = [
    ...(told?.servers ?? []),
    ...Object.values(told?.https ?? {}),
    ...(told?.workloads?.servers ?? []),
    told?.workloads?.exchange ?? '',
  ]
  t.is(urls.length, 6)
  for (const url of urls) t.true(ports.has(new URL(url).port), url)
  t.is(new Set(urls.map((url) => new URL(url).port)).size, 6)
})

const fromOutside = needed.filter(([from, to]) => from === 'person' && to !== 'dns')

test('policies let people in where archipelago.yaml does, and other pods everywhere', (t) => {
  const inside: NamedFlow[] = [
    ...fromOutside.map(([, to, port]): NamedFlow => ['elsewhere', to, port]),
    ['elsewhere', 'identity', 8444],
  ]
  for (const way of ways) {
    const policies = networkPolicies(built(way))
    const may = (flow: NamedFlow) => allows(policies, toFlow(flow))
    for (const flow of fromOutside) t.is(may(flow), way !== 'cluster', `${way} ${flow.join(' ')}`)
    t.deepEqual(
      inside.filter((flow) => !may(flow)),
      [],
      way,
    )
    // As cloned nobody knows from where gateways come.
    const closed = forbidden.filter(([, , port]) => port !== 7522)
    t.deepEqual(closed.filter(may), [], way)
  }
})
