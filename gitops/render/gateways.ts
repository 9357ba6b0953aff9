// How other regions reach this one's gateways, and where it finds theirs.
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { placeClusters } from '../../core/network/kubernetes.ts'
import type { ServerPlace } from '../../core/network/endpoint.ts'
import { formatAll, formatGenerated } from '../kustomization.ts'
import type { RegionPart } from '../render.ts'

export function renderGateways(archipelago: Archipelago, region: Region): RegionPart {
  const aliases = hostAliases(archipelago, region)
  const services = gatewayServices(archipelago, region)
  return {
    files: new Map([
      ...(aliases.length === 0
        ? []
        : [['host-aliases.yaml', formatGenerated(pods(aliases))] as const]),
      ...(services.length === 0 ? [] : [['gateways.yaml', formatAll(services)] as const]),
    ]),
    kustomization: {
      ...(services.length > 0 && { resources: ['gateways.yaml'] }),
      components: [`../../../components/gateway-${region.gateways}`],
      ...(aliases.length > 0 && {
        patches: [{ path: 'host-aliases.yaml', target: { kind: 'StatefulSet', name: 'nats' } }],
      }),
    },
  }
}

interface HostAlias {
  readonly ip: string
  readonly hostnames: readonly string[]
}

/** One line for each address of another region, with all names that lead there. */
function hostAliases(archipelago: Archipelago, region: Region): HostAlias[] {
  const servers = new Map(placeClusters(archipelago).map(({ name, servers }) => [name, servers]))
  return archipelago.regions
    .filter(({ name }) => name !== region.name)
    .flatMap((other) => aliasesOf(other, servers.get(other.name) ?? []))
}

function aliasesOf({ gateways, nodes }: Region, servers: readonly ServerPlace[]): HostAlias[] {
  const names = servers.map(({ gateway }) => gateway.host)
  return nodes.map((ip, index) => ({
    ip,
    hostnames: gateways === 'load-balancers' ? names.slice(index, index + 1) : names,
  }))
}

const pods = (hostAliases: readonly HostAlias[]) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'nats' },
  spec: { template: { spec: { hostAliases } } },
})

/** A service for each server where each has an address or port of its own. */
function gatewayServices(archipelago: Archipelago, region: Region): object[] {
  if (region.gateways !== 'node-address' && region.gateways !== 'load-balancers') return []
  const servers = placeClusters(archipelago).find(({ name }) => name === region.name)?.servers ?? []
  return servers.map(({ name, index, gateway }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `nats-gateway-${index}`,
      namespace: archipelago.kubernetes.namespace,
      labels: { 'app.kubernetes.io/name': 'nats', 'app.kubernetes.io/component': 'gateway' },
    },
    spec: {
      selector: { 'statefulset.kubernetes.io/pod-name': name },
      ports: [
        {
          name: 'gateway',
          port: gateway.listenPort,
          targetPort: 'gateway',
          appProtocol: 'tls',
          ...(region.gateways === 'node-address' && { nodePort: gateway.port }),
        },
      ],
    },
  }))
}
