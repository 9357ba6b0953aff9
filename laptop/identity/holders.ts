// Which process of the laptop shows which names.
import type { Door } from '../../core/access/door.ts'
import type { Archipelago } from '../../core/archipelago.ts'
import type {
  DoorPlace,
  LeafnodePlace,
  RegionPlace,
  ServerPlace,
} from '../../core/network/endpoint.ts'
import {
  functionId,
  identityLeaf,
  leafnodeId,
  publicLeaf,
  serverId,
} from '../../core/identity/names.ts'
import type { LeafProfile } from '../../core/identity/issue.ts'

/** A process that shows certificates. */
export interface CertificateHolder {
  readonly name: string
  readonly region: string
  readonly identity: LeafProfile
  /** Where outside clients dial it. */
  readonly public?: LeafProfile
}

/** Servers, leafnode servers, and the functions that are open. */
export function holdersOf(
  archipelago: Archipelago,
  regions: readonly RegionPlace[],
  doors: readonly Door[],
): CertificateHolder[] {
  const open = new Set<Door>(doors)
  return regions.flatMap(({ servers, leafnode, isCut, doors: places }) => [
    ...servers.map((server) => serverHolder(archipelago, server)),
    ...(isCut === true ? [] : [leafnodeHolder(archipelago, leafnode)]),
    ...places
      .filter(({ door }) => open.has(door))
      .map((place) => functionHolder(archipelago, place)),
  ])
}

function serverHolder(archipelago: Archipelago, server: ServerPlace): CertificateHolder {
  const { name, region, client, route } = server
  const id = serverId(archipelago, server)
  return {
    ...{ name, region },
    identity: identityLeaf(archipelago, server, { id, hosts: [route.host, '127.0.0.1'] }),
    public: publicLeaf(publicHosts(archipelago, region, client.host)),
  }
}

export function leafnodeHolder(
  archipelago: Archipelago,
  leafnode: LeafnodePlace,
): CertificateHolder {
  const { name, region, client } = leafnode
  const id = leafnodeId(archipelago, leafnode)
  return {
    ...{ name, region },
    identity: identityLeaf(archipelago, leafnode, { id, hosts: [client.host, '127.0.0.1'] }),
  }
}

export function functionHolder(archipelago: Archipelago, place: DoorPlace): CertificateHolder {
  const { name, region, https } = place
  const id = functionId(archipelago, place)
  return {
    ...{ name, region },
    identity: identityLeaf(archipelago, place, { id, hosts: [https.host, '127.0.0.1'] }),
    public: publicLeaf(publicHosts(archipelago, region, https.host)),
  }
}

/** The client of NATS checks the name localhost, whatever address it dials. */
function publicHosts({ regions }: Archipelago, region: string, host: string): string[] {
  const addresses = regions.find(({ name }) => name === region)?.addresses ?? []
  return [...addresses, 'localhost', '127.0.0.1', host]
}
