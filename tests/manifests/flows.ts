// Who has to reach whom in a region, and who must not: what the network policies are held against.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Archipelago } from '../../core/archipelago.ts'
import { compareGenerated, writeGenerated } from '../../gitops/generated-files.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import type { Flow, NamedPort, Peer, PodPeer } from '../../gitops/network-policy.ts'
import { renderManifests } from '../../gitops/render.ts'
import { readArchipelago } from '../../store/archipelago.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
export const archipelago = readArchipelago(`${root}archipelago.yaml`)

const peerNode = '203.0.113.21'

/** The same network, where every region knows its nodes; one of them is behind a load balancer if asked. */
export function withNodes(
  gateways: 'node-address' | 'load-balancer' = 'node-address',
): Archipelago {
  const regions = archipelago.regions.map((region, index) => ({
    ...region,
    nodes: [`203.0.113.${10 * (index + 1) + 1}`],
    ...(index === 1 && { gateways }),
  }))
  return { ...archipelago, regions }
}

/** What ams3 would be given, were archipelago.yaml this one. */
export async function buildOverlay(archipelago: Archipelago, folder: string): Promise<Manifest[]> {
  cpSync(join(root, 'manifests'), join(folder, 'manifests'), { recursive: true })
  const rendered = renderManifests(archipelago)
  writeGenerated(folder, rendered, compareGenerated(folder, rendered))
  return await buildKustomization(join(folder, 'manifests/overlays/ams3'))
}

const ports: readonly NamedPort[] = [
  { name: 'client', containerPort: 4222 },
  { name: 'route', containerPort: 6222 },
  { name: 'leafnode', containerPort: 7422 },
  { name: 'gateway', containerPort: 7522 },
  { name: 'monitor', containerPort: 8222 },
  { name: 'workload', containerPort: 9222 },
]

const pod = (name: string, component: string, address: string): PodPeer => ({
  namespace: 'nats',
  labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': component },
  address,
  ports: component === 'function' ? [{ name: 'monitor', containerPort: 8222 }] : ports,
})

export const ends = {
  server: pod('nats', 'server', '10.244.0.2'),
  lobby: pod('function-lobby', 'function', '10.244.0.3'),
  identity: pod('function-identity', 'function', '10.244.0.4'),
  keys: pod('region-keys', 'home', '10.244.0.5'),
  prove: pod('prove-region', 'prove', '10.244.0.6'),
  /** In the namespace, and nobody said what it is. */
  stranger: { namespace: 'nats', labels: {}, address: '10.244.0.7' },
  elsewhere: { namespace: 'shop', labels: { app: 'shop' }, address: '10.244.0.8' },
  dns: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' }, address: '10.244.0.9' },
  peerNode: { address: peerNode },
  person: { address: '198.51.100.7' },
  apiServer: { address: '192.0.2.1' },
} satisfies Record<string, Peer>

type End = keyof typeof ends
export type NamedFlow = readonly [from: End, to: End, port: number, protocol?: 'UDP']

export const toFlow = ([from, to, port, protocol = 'TCP']:
  NamedFlow | readonly [End, End, number, ('UDP' | 'TCP')?]): Flow => ({
  from: ends[from],
  to: ends[to],
  port,
  protocol,
})

export const needed: readonly NamedFlow[] = [
  ['person', 'server', 4222],
  ['person', 'server', 9222],
  ['elsewhere', 'server', 4222],
  ['elsewhere', 'server', 9222],
  ['server', 'server', 6222],
  ['lobby', 'server', 7422],
  ['identity', 'server', 7422],
  ['peerNode', 'server', 7522],
  ['server', 'peerNode', 30_522],
  ['server', 'peerNode', 30_524],
  ['person', 'lobby', 8443],
  ['elsewhere', 'identity', 8444],
  ['keys', 'apiServer', 443],
  ['keys', 'apiServer', 6443],
  ['prove', 'server', 4222],
  ['prove', 'server', 8222],
  ['prove', 'server', 9222],
  ['prove', 'lobby', 8443],
  ...(['server', 'lobby', 'identity', 'keys', 'prove'] as const).flatMap((end): NamedFlow[] => [
    [end, 'dns', 53],
    [end, 'dns', 53, 'UDP'],
  ]),
]

export const forbidden: readonly NamedFlow[] = [
  ['person', 'server', 6222],
  ['person', 'server', 7422],
  ['person', 'server', 7522],
  ['person', 'server', 8222],
  ['elsewhere', 'server', 7522],
  ['elsewhere', 'server', 6222],
  ['elsewhere', 'server', 7422],
  ['elsewhere', 'server', 8222],
  ['elsewhere', 'lobby', 8222],
  ['elsewhere', 'lobby', 4222],
  ['stranger', 'server', 4222],
  ['stranger', 'server', 6222],
  ['stranger', 'apiServer', 443],
  ['stranger', 'dns', 443],
  ['elsewhere', 'stranger', 8080],
  ['lobby', 'server', 4222],
  ['lobby', 'server', 6222],
  ['lobby', 'server', 8222],
  ['lobby', 'identity', 8443],
  ['lobby', 'person', 443],
  ['lobby', 'apiServer', 443],
  ['identity', 'apiServer', 6443],
  ['server', 'apiServer', 443],
  ['server', 'person', 4222],
  ['server', 'peerNode', 22],
  ['server', 'lobby', 8443],
  ['prove', 'apiServer', 443],
  ['prove', 'server', 6222],
  ['prove', 'server', 7422],
  ['keys', 'server', 4222],
  ['keys', 'person', 80],
  ['elsewhere', 'keys', 443],
  ['elsewhere', 'prove', 8080],
]
