// Every TLS listener of a network, and who has to answer there.
import { hasMtls, type Door } from '../access/door.ts'
import type { Archipelago } from '../archipelago.ts'
import type { DoorPlace, Endpoint, LeafnodePlace, RegionPlace } from '../network/endpoint.ts'
import { functionId, leafnodeId, serverId } from './names.ts'
import type { SpiffeId } from './spiffe-id.ts'

export interface ExpectedPeer {
  readonly name: string
  readonly listener: 'client' | 'route' | 'gateway' | 'leafnode' | 'workload' | 'https' | 'mtls'
  readonly endpoint: Endpoint
  /** Without it the listener shows outside clients a public certificate. */
  readonly id?: SpiffeId
}

/** As core/network configures them: only clients are greeted before TLS. */
export const handshakeMode = ({ listener }: Pick<ExpectedPeer, 'listener'>): 'nats' | 'tls' =>
  listener === 'client' ? 'nats' : 'tls'

export function expectedPeers(
  archipelago: Archipelago,
  regions: readonly RegionPlace[],
  doors: readonly Door[],
): ExpectedPeer[] {
  return regions.flatMap((region) => [
    ...region.servers.flatMap((server): ExpectedPeer[] => {
      const id = serverId(archipelago, server)
      const { name, client, route, gateway, leafnode, workload } = server
      return [
        { name, listener: 'client', endpoint: client },
        { name, listener: 'route', endpoint: route, id },
        { name, listener: 'gateway', endpoint: gateway, id },
        { name, listener: 'leafnode', endpoint: leafnode, id },
        { name, listener: 'workload', endpoint: workload, id },
      ]
    }),
    ...(region.isCut === true ? [] : [leafnodePeer(archipelago, region.leafnode)]),
    ...region.doors
      .filter(({ door }) => doors.includes(door))
      .flatMap((place) => doorPeers(archipelago, place)),
  ])
}

function doorPeers(archipelago: Archipelago, place: DoorPlace): ExpectedPeer[] {
  const { name, door, https, mtls } = place
  const outside: ExpectedPeer = { name, listener: 'https', endpoint: https }
  const inside = {
    name,
    listener: 'mtls',
    endpoint: mtls,
    id: functionId(archipelago, place),
  } as const
  return hasMtls(door) ? [outside, inside] : [outside]
}

function leafnodePeer(archipelago: Archipelago, leafnode: LeafnodePlace): ExpectedPeer {
  const { name, client: endpoint } = leafnode
  return { name, listener: 'client', endpoint, id: leafnodeId(archipelago, leafnode) }
}
