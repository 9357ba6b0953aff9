// How a region is seen from outside: what the network file says of it.
import type { NetworkRegion } from '../access/network-file.ts'
import type { Archipelago, Region } from '../archipelago.ts'
import { doorPath, openDoors } from './access-subject.ts'
import { clientPorts, doorHost } from './clients.ts'
import {
  formatHostPort,
  formatUrl,
  placeNetwork,
  type DoorPlace,
  type RegionPlace,
} from './endpoint.ts'

type Outside = Omit<NetworkRegion, 'tokenKey'>

/** Where clients know each server by its own address. */
export function outsideOf(place: RegionPlace, { roles }: Pick<Archipelago, 'roles'>): Outside {
  return {
    name: place.name,
    servers: place.servers.map(({ client }) => formatUrl(client)),
    https: httpsUrls(place, roles),
    ...workloadUrls(place, roles),
  }
}

/** Where a region is a cluster: clients know it by the addresses of archipelago.yaml, behind which any server answers. */
export function outsideOfClusters(archipelago: Archipelago): Outside[] {
  const regions = new Map(archipelago.regions.map((region) => [region.name, region]))
  return placeNetwork(archipelago, 'distributed').map((place) =>
    outsideOfCluster(place, regions.get(place.name) as Region, archipelago),
  )
}

function outsideOfCluster(place: RegionPlace, region: Region, archipelago: Archipelago): Outside {
  const ports = clientPorts(archipelago, region)
  const doors = place.doors.map((each): DoorPlace =>
    each.door === 'legacy'
      ? each
      : {
          ...each,
          https: {
            ...each.https,
            host: doorHost(region, each.https.host),
            port: ports.doors[each.door],
          },
          mtls: { ...each.mtls, host: doorHost(region, each.mtls.host), port: ports.mtls },
        },
  )
  const { workloads, ...outside } = outsideOf({ ...place, doors }, archipelago)
  const at = (scheme: 'tls' | 'wss', port: number) =>
    region.addresses.map((host) => `${scheme}://${formatHostPort(host, port)}`)
  return {
    ...outside,
    servers: at('tls', ports.client),
    ...(workloads && { workloads: { ...workloads, servers: at('wss', ports.workload) } }),
  }
}

function httpsUrls({ doors }: RegionPlace, roles: Archipelago['roles']): NetworkRegion['https'] {
  const open = openDoors(roles)
  const urls = doors.flatMap(({ door, https }) =>
    door !== 'legacy' && open.includes(door)
      ? [[door, `https://${formatHostPort(https.host, https.port)}${doorPath(door)}`]]
      : [],
  )
  return Object.fromEntries(urls) as NetworkRegion['https']
}

/** Where some role has the door identity. */
function workloadUrls(
  { servers, doors }: RegionPlace,
  roles: Archipelago['roles'],
): Pick<NetworkRegion, 'workloads'> {
  const place = doors.find(({ door }) => door === 'identity')
  if (place === undefined || !openDoors(roles).includes('identity')) return {}
  const { host, port } = place.mtls
  return {
    workloads: {
      servers: servers.map((each) => formatUrl(each.workload, 'wss')),
      exchange: `https://${formatHostPort(host, port)}${doorPath('identity')}`,
    },
  }
}
