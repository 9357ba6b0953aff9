// How clients from outside of a region's cluster come to its listeners: by which name, and at which port.
import type { Archipelago, Region } from '../archipelago.ts'
import type { FunctionDoor } from './access-subject.ts'

/** The doors that a cluster has; that of the tutorial's programs is for laptops. */
export const clusterDoors = ['lobby', 'invite', 'identity'] as const satisfies FunctionDoor[]
export type ClusterDoor = (typeof clusterDoors)[number]

export interface ClientPorts {
  /** People. */
  readonly client: number
  /** Workloads, by WebSocket. */
  readonly workload: number
  readonly doors: Readonly<Record<ClusterDoor, number>>
  /** The door identity for workloads, which show certificates. */
  readonly mtls: number
}

/** A node has each port once, so that there each door has one of its own. */
export function clientPorts(
  { ports, kubernetes }: Pick<Archipelago, 'ports' | 'kubernetes'>,
  { clients }: Pick<Region, 'clients'>,
): ClientPorts {
  const { client, workload, https, mtls } = ports
  if (clients !== 'node-address')
    return { client, workload, doors: { lobby: https, invite: https, identity: https }, mtls }
  const first = kubernetes.clientNodePort
  return {
    client: first,
    workload: first + 1,
    doors: { lobby: first + 2, invite: first + 3, identity: first + 4 },
    mtls: first + 5,
  }
}

/**
 * Of a door: on nodes the name of the region, which its public certificate has, too; elsewhere one of its
 * own, since an address of its own is behind it.
 */
export function doorHost({ clients, addresses }: Region, own: string): string {
  const [address = own] = addresses
  return clients === 'node-address' ? address : own
}
