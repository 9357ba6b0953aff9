// Where a region's servers are when it is a Kubernetes cluster: a pod each, known by the headless
// service inside and by a name below the region's domain outside.
import type { Archipelago, Region } from '../archipelago.ts'
import { servicesDomain } from '../identity/names.ts'
import type { Endpoint, RegionPlace, ServerPlace } from './endpoint.ts'
import { placeNetwork } from './endpoint.ts'

/** What clients inside of a cluster dial: one service for all servers of the region. */
const clientService = 'nats-client'

/** Names and ports of all regions; what a pod listens on is the same in each. */
export function placeClusters(archipelago: Archipelago): RegionPlace[] {
  const regions = new Map(archipelago.regions.map((region) => [region.name, region]))
  return placeNetwork(archipelago, 'distributed').map((place) => ({
    ...place,
    servers: place.servers.map((server) => inPod(server, archipelago, regions.get(place.name))),
  }))
}

/** The port by which other regions reach a server's gateway. */
function gatewayPort(
  { ports, kubernetes }: Archipelago,
  region: Pick<Region, 'gateways'> | undefined,
  index: number,
): number {
  return region?.gateways === 'node-address' ? kubernetes.gatewayNodePort + index : ports.gateway
}

function inPod(
  server: ServerPlace,
  archipelago: Archipelago,
  region: Region | undefined,
): ServerPlace {
  const services = servicesDomain(archipelago)
  const pod = `${server.name}.${archipelago.kubernetes.service}.${services}`
  const port = gatewayPort(archipelago, region, server.index)
  return {
    ...server,
    client: at(`${clientService}.${services}`, server.client),
    workload: at(`${clientService}.${services}`, server.workload),
    route: at(pod, server.route),
    leafnode: at(pod, server.leafnode),
    gateway: { ...server.gateway, port, listenPort: server.gateway.port },
    // The kubelet asks it at the pod's address.
    monitor: { ...at(pod, server.monitor), listen: '0.0.0.0' },
  }
}

const at = (host: string, endpoint: Endpoint): Endpoint => ({ ...endpoint, host })
