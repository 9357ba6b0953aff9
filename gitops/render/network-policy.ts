// Who may reach a region's gateways and whom they may reach: the addresses of the other regions. And from
// where its clients come.
import { isIPv6 } from 'node:net'
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { placeClusters } from '../../core/network/kubernetes.ts'
import { formatAll } from '../kustomization.ts'
import type { RegionPart } from '../render.ts'

export function renderNetworkPolicy(archipelago: Archipelago, region: Region): RegionPart {
  const others = archipelago.regions.filter(({ name }) => name !== region.name)
  const gateways = {
    podSelector: { matchLabels: servers },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: blocks(others.flatMap(sourcesOf)), ports: [{ port: 'gateway' }] }],
    egress: others.map((other) => ({
      to: blocks(other.nodes),
      ports: portsOf(archipelago, other).map((port) => ({ port })),
    })),
  }
  return {
    files: new Map([
      [
        'network-policy.yaml',
        formatAll([
          policy(archipelago, 'nats-gateways', gateways),
          policy(archipelago, 'nats-clients', clients(region, servers, ['client', 'workload'])),
          policy(archipelago, 'function-clients', clients(region, functions, ['https', 'mtls'])),
        ]),
      ],
    ]),
    kustomization: {
      resources: ['network-policy.yaml'],
      components: ['../../../components/network-policy'],
    },
  }
}

const servers = { 'app.kubernetes.io/name': 'nats' }
const functions = { 'app.kubernetes.io/component': 'function' }

/** Any pod of the cluster; and whoever else, where archipelago.yaml has a way in for them. */
const clients = (
  region: Region,
  matchLabels: Readonly<Record<string, string>>,
  ports: readonly string[],
) => ({
  podSelector: { matchLabels },
  policyTypes: ['Ingress'],
  ingress: [
    {
      ...(region.clients === 'cluster' && { from: [{ namespaceSelector: {} }] }),
      ports: ports.map((port) => ({ port })),
    },
  ],
})

const policy = ({ kubernetes }: Archipelago, name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: {
    name,
    namespace: kubernetes.namespace,
    annotations: { 'argocd.argoproj.io/sync-wave': '-4' },
  },
  spec,
})

/** A server dials from its node; behind a load balancer nobody knows from where. */
const sourcesOf = ({ gateways, nodes }: Region): readonly string[] =>
  gateways.startsWith('load-balancer') || nodes.length === 0 ? anywhere : nodes

const anywhere = ['0.0.0.0/0', '::/0']

/** Where names are looked up in DNS no address is known: then servers' certificates alone decide. */
function blocks(addresses: readonly string[]): object[] {
  const known = addresses.length === 0 || addresses.includes('::/0') ? anywhere : addresses
  return [...new Set(known)].map((address) => ({ ipBlock: { cidr: cidrOf(address) } }))
}

function cidrOf(address: string): string {
  if (address.includes('/')) return address
  return `${address}/${isIPv6(address) ? 128 : 32}`
}

/** Those of its gateways, as they are dialled. */
function portsOf(archipelago: Archipelago, { name }: Region): number[] {
  const place = placeClusters(archipelago).find((one) => one.name === name)
  return [...new Set((place?.servers ?? []).map(({ gateway }) => gateway.port))]
}
