// The places of a network where each process has an address of its own, all of them on loopback.
import type { Archipelago } from '../../../core/archipelago.ts'
import {
  type Endpoint,
  placeNetwork,
  type RegionPlace,
  type ServerPlace,
} from '../../../core/network/endpoint.ts'

// Other tests are on 127.0.0.1.
const subnet = '127.7'
const leafnodeHost = 100

export function placeOnLoopback(archipelago: Archipelago): RegionPlace[] {
  return placeNetwork(archipelago, 'distributed').map((region, index) => {
    const address = (host: number) => `${subnet}.${index + 1}.${host}`
    const { leafnode } = region
    const inside = address(leafnodeHost)
    return {
      ...region,
      servers: region.servers.map((server) => addressOf(server, address(server.index + 1))),
      leafnode: {
        ...leafnode,
        client: at(leafnode.client, inside),
        monitor: at(leafnode.monitor, inside),
      },
    }
  })
}

const at = ({ port }: Endpoint, address: string): Endpoint => ({
  ...{ host: address, listen: address, port },
})

/** All of it bound to this address, and known by its name as before. */
function addressOf(server: ServerPlace, listen: string): ServerPlace {
  const bound = Object.entries(server).map(([key, value]) => [
    key,
    typeof value === 'object' ? { ...value, listen } : value,
  ])
  return { ...Object.fromEntries(bound), monitor: at(server.monitor, listen) }
}

export function formatHosts(regions: readonly RegionPlace[]): string {
  const servers = regions.flatMap((region) => region.servers)
  const named = servers.map(({ client: { host, listen } }) => `${listen} ${host}`)
  return ['127.0.0.1 localhost', ...named, ''].join('\n')
}
