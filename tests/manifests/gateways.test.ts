// The four ways to a region's gateways, each rendered into a copy of the manifests and built.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { V1Service, V1StatefulSet } from '@kubernetes/client-node'
import test, { type ExecutionContext } from 'ava'
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { compareGenerated, writeGenerated } from '../../gitops/generated-files.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { renderManifests } from '../../gitops/render.ts'
import { breachesOf } from '../../gitops/rules.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const root = join(import.meta.dirname, '../..')
const archipelago = readArchipelago(join(root, 'archipelago.yaml'))

async function build(t: ExecutionContext, gateways: Region['gateways'], nodes: readonly string[]) {
  const folder = temporaryFolder(t)
  cpSync(join(root, 'manifests'), join(folder, 'manifests'), { recursive: true })
  const regions = archipelago.regions.map((region) => ({
    ...region,
    gateways,
    nodes: region.name === 'sfo2' ? nodes : [],
  }))
  const changed: Archipelago = { ...archipelago, regions }
  const rendered = renderManifests(changed)
  writeGenerated(folder, rendered, compareGenerated(folder, rendered))
  t.deepEqual(compareGenerated(folder, rendered), [])
  const manifests = await buildKustomization(join(folder, 'manifests/overlays/ams3'))
  const built = { folder: 'ams3', region: 'ams3', archipelago: changed, manifests }
  t.deepEqual(breachesOf(built), [])
  return manifests
}

const gatewayServices = (manifests: readonly Manifest[]) =>
  manifests
    .filter(({ kind, metadata }) => kind === 'Service' && metadata.name.includes('gateway'))
    .map((service) => {
      const {
        type,
        externalTrafficPolicy: policy,
        selector,
        ports,
      } = (service as V1Service).spec ?? {}
      const [name] = Object.values(selector ?? {})
      return [service.metadata.name, type, policy, name, ports?.[0]?.port, ports?.[0]?.nodePort]
    })

const podOf = (manifests: readonly Manifest[]) =>
  (manifests.find(({ kind }) => kind === 'StatefulSet') as V1StatefulSet | undefined)?.spec
    ?.template.spec

const enforced = (manifests: readonly Manifest[]) =>
  manifests.find(({ kind }) => kind === 'Namespace')?.metadata.labels?.[
    'pod-security.kubernetes.io/enforce'
  ]

const named = ['sfo2-0', 'sfo2-1', 'sfo2-2'].map((name) => `${name}.sfo2.archipelago.example`)

test('node-address: a node port for each server, and every address for every name', async (t) => {
  const manifests = await build(t, 'node-address', ['192.0.2.1', '192.0.2.2'])
  t.deepEqual(
    gatewayServices(manifests),
    [0, 1, 2].map((index) => [
      ...[`nats-gateway-${index}`, 'NodePort', 'Local', `ams3-${index}`, 7522, 30522 + index],
    ]),
  )
  t.deepEqual(podOf(manifests)?.hostAliases, [
    { ip: '192.0.2.1', hostnames: named },
    { ip: '192.0.2.2', hostnames: named },
  ])
  t.is(enforced(manifests), 'restricted')
})

test('load-balancers: one for each server, and an address for each name', async (t) => {
  const manifests = await build(t, 'load-balancers', ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  t.deepEqual(
    gatewayServices(manifests),
    [0, 1, 2].map((index) => [
      ...[`nats-gateway-${index}`, 'LoadBalancer', 'Local', `ams3-${index}`, 7522, undefined],
    ]),
  )
  t.deepEqual(
    podOf(manifests)?.hostAliases?.map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])]),
    named.map((name, index) => [`192.0.2.${index + 1}`, name]),
  )
})

test('load-balancer: one for all servers, and one address for all names', async (t) => {
  const manifests = await build(t, 'load-balancer', ['192.0.2.1'])
  t.deepEqual(gatewayServices(manifests), [
    ['nats-gateway', 'LoadBalancer', 'Local', 'nats', 7522, undefined],
  ])
  t.deepEqual(podOf(manifests)?.hostAliases, [{ ip: '192.0.2.1', hostnames: named }])
})

test('host-port: a port of the node, and what it lowers is the namespace, visibly', async (t) => {
  const manifests = await build(t, 'host-port', [])
  t.deepEqual(gatewayServices(manifests), [])
  const ports = podOf(manifests)?.containers[0]?.ports?.filter(({ hostPort }) => hostPort)
  t.deepEqual(ports, [{ name: 'gateway', containerPort: 7522, hostPort: 7522 }])
  t.is(enforced(manifests), 'privileged')
  const { labels } = manifests.find(({ kind }) => kind === 'Namespace')?.metadata ?? {}
  t.is(labels?.['pod-security.kubernetes.io/warn'], 'restricted')
  t.is(podOf(manifests)?.hostAliases, undefined)
})
