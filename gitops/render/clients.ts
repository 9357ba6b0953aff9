// How clients from outside of a region's cluster come in.
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { openDoors } from '../../core/network/access-subject.ts'
import { clientPorts, clusterDoors } from '../../core/network/clients.ts'
import { formatAll } from '../kustomization.ts'
import type { RegionPart } from '../render.ts'

export function renderClients(archipelago: Archipelago, region: Region): RegionPart {
  if (region.clients === 'cluster') return { files: new Map(), kustomization: {} }
  const components = [`../../../components/clients-${region.clients}`]
  if (region.clients !== 'node-address') return { files: new Map(), kustomization: { components } }
  return {
    files: new Map([['clients.yaml', formatAll(nodePorts(archipelago, region))]]),
    kustomization: { components, patches: [{ path: 'clients.yaml' }] },
  }
}

/** Ports of services are told apart by their own numbers; each gets its port on nodes. */
function nodePorts(archipelago: Archipelago, region: Region): object[] {
  const { ports } = archipelago
  const { client, workload, doors, mtls } = clientPorts(archipelago, region)
  const open = openDoors(archipelago.roles)
  return [
    service('nats-client', [
      [ports.client, client],
      [ports.workload, workload],
    ]),
    ...clusterDoors
      .filter((door) => open.includes(door))
      .map((door) =>
        service(`function-${door}`, [
          [ports.https, doors[door]],
          ...(door === 'identity' ? [[ports.mtls, mtls] as const] : []),
        ]),
      ),
  ]
}

const service = (name: string, ports: readonly (readonly [port: number, nodePort: number])[]) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: ports.map(([port, nodePort]) => ({ port, nodePort })) },
})
