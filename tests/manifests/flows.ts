// Who has to reach whom in a region, and who must not: what the network policies are held against.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Archipelago } from '../../core/archipelago.ts'
import { compareGenerated, writeGenerated } from '../../gitops/generated-files.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import type { Flow, Peer, PodPeer } from '../../gitops/network-policy.ts'
import { containersOf, podsOf } from '../../gitops/pods.ts'
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

const overlay = await buildKustomization(join(root, 'manifests/overlays/ams3'))
const pods = podsOf(overlay)

/** As the overlay has it: labels that nobody gives open nothing. */
function pod(owner: string, address: string): PodPeer {
  const found = pods.find((one) => one.owner === owner)
  if (found === undefined) throw new Error(`the overlay has no ${owner}`)
  const ports = containersOf(found).flatMap(({ ports = [] }) => ports)
  return { namespace: 'nats', labels: found.labels, address, ports }
}

export const ends = {
  server: pod('StatefulSet nats/ams3', '10.244.0.2'),
  lobby: pod('Deployment nats/function-lobby', '10.244.0.3'),
  invite: pod('Deployment nats/function-invite', '10.244.0.10'),
  identity: pod('Deployment nats/function-identity', '10.244.0.4'),
  keys: pod('Job nats/region-keys', '10.244.0.5'),
  authority: pod('Deployment nats/answer-authority', '10.244.0.11'),
  proof: pod('Job nats/prove-region', '10.244.0.6'),
  before: pod('Job nats/prove-region-before', '10.244.0.12'),
  monitor: pod('Deployment nats/monitor', '10.244.0.13'),
  prometheus: { namespace: 'monitoring', labels: { app: 'prometheus' }, address: '10.244.0.14' },
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

const own = [
  'server',
  'lobby',
  'invite',
  'identity',
  'keys',
  'authority',
  'proof',
  'before',
  'monitor',
] as const
const functions = ['lobby', 'invite', 'identity'] as const
const withToken = ['keys', 'authority', 'proof', 'before'] as const

export const needed: readonly NamedFlow[] = [
  ['person', 'server', 4222],
  ['person', 'server', 9222],
  ['elsewhere', 'server', 4222],
  ['elsewhere', 'server', 9222],
  ['server', 'server', 6222],
  ['peerNode', 'server', 7522],
  ['server', 'peerNode', 30_522],
  ['server', 'peerNode', 30_524],
  ['person', 'lobby', 8443],
  ['person', 'invite', 8443],
  ['elsewhere', 'identity', 8444],
  ['proof', 'server', 4222],
  ['proof', 'server', 8222],
  ['before', 'server', 8222],
  ['monitor', 'server', 4222],
  ['prometheus', 'monitor', 7777],
  ...functions.map((end): NamedFlow => [end, 'server', 7422]),
  ...withToken.flatMap((end): NamedFlow[] => [
    [end, 'apiServer', 443],
    [end, 'apiServer', 6443],
  ]),
  ...own.flatMap((end): NamedFlow[] => [
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
  ['proof', 'server', 6222],
  ['proof', 'server', 7422],
  ['keys', 'server', 4222],
  ['keys', 'person', 80],
  ['elsewhere', 'keys', 443],
  ['elsewhere', 'proof', 8080],
  ['proof', 'lobby', 8443],
  ['authority', 'server', 8222],
  ['elsewhere', 'monitor', 7777],
  ['person', 'monitor', 7777],
  ['lobby', 'monitor', 7777],
  ['prometheus', 'server', 8222],
  ['monitor', 'server', 8222],
  ['monitor', 'server', 6222],
  ['monitor', 'apiServer', 443],
  ['monitor', 'prometheus', 9090],
]
