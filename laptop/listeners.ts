import { hasMtls, type Door } from '../core/access/door.ts'
import type {
  DoorPlace,
  LeafnodePlace,
  RegionPlace,
  ServerPlace,
} from '../core/network/endpoint.ts'
import type { Listener } from './ports.ts'

/** Every port that the processes of these regions listen on. */
export function listenersOf(regions: readonly RegionPlace[], doors: readonly Door[]): Listener[] {
  return regions.flatMap((region) => [
    ...region.servers.flatMap(serverListeners),
    ...leafnodeListeners(region.leafnode),
    ...region.doors.filter(({ door }) => doors.includes(door)).flatMap(doorListeners),
  ])
}

function serverListeners({
  name,
  client,
  route,
  leafnode,
  gateway,
  workload,
  monitor,
}: ServerPlace): Listener[] {
  return [
    { endpoint: client, purpose: `clients of ${name}` },
    { endpoint: route, purpose: `routes of ${name}` },
    { endpoint: leafnode, purpose: `leafnodes of ${name}` },
    { endpoint: gateway, purpose: `gateways of ${name}` },
    { endpoint: workload, purpose: `workloads of ${name}` },
    { endpoint: monitor, purpose: `monitoring of ${name}` },
  ]
}

function leafnodeListeners({ name, client, monitor }: LeafnodePlace): Listener[] {
  return [
    { endpoint: client, purpose: `functions at ${name}` },
    { endpoint: monitor, purpose: `monitoring of ${name}` },
  ]
}

function doorListeners({ name, door, https, mtls }: DoorPlace): Listener[] {
  const outside = { endpoint: https, purpose: `HTTPS of ${name}` }
  return hasMtls(door) ? [outside, { endpoint: mtls, purpose: `mTLS of ${name}` }] : [outside]
}
