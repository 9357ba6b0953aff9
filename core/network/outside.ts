// How a region is seen from outside: what the network file says of it.
import type { NetworkRegion } from '../access/network-file.ts'
import type { Archipelago } from '../archipelago.ts'
import { doorPath, openDoors } from './access-subject.ts'
import { formatHostPort, formatUrl, placeNetwork, type RegionPlace } from './endpoint.ts'

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

/** Where clients know regions by the addresses of archipelago.yaml, behind which any server answers. */
export function outsideByAddress(archipelago: Archipelago): Outside[] {
  const { ports, roles } = archipelago
  return placeNetwork(archipelago, 'distributed').map((place, index) => {
    const addresses = archipelago.regions[index]?.addresses ?? []
    const servers = addresses.map((host) => `tls://${formatHostPort(host, ports.client)}`)
    const { workloads, ...outside } = outsideOf(place, { roles })
    const reached = addresses.map((host) => `wss://${formatHostPort(host, ports.workload)}`)
    return {
      ...outside,
      servers,
      ...(workloads && { workloads: { ...workloads, servers: reached } }),
    }
  })
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
