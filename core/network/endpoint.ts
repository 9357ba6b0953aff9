// Where each process of the network listens: one Archipelago, two placements.
import { isIPv6 } from 'node:net'
import { type Door, doors } from '../access/door.ts'
import type { Archipelago, Ports, Region } from '../archipelago.ts'
import { Refusal } from '../errors.ts'

/** `host` is what others dial, `listen` the address that is bound. */
export interface Endpoint {
  readonly host: string
  readonly listen: string
  readonly port: number
  /** What is bound where others dial another port. */
  readonly listenPort?: number
}

export interface ServerPlace {
  readonly name: string
  readonly region: string
  readonly index: number
  readonly client: Endpoint
  readonly route: Endpoint
  readonly leafnode: Endpoint
  readonly gateway: Endpoint
  readonly workload: Endpoint
  readonly monitor: Endpoint
}

export interface LeafnodePlace {
  readonly name: string
  readonly region: string
  readonly client: Endpoint
  readonly monitor: Endpoint
}

export interface DoorPlace {
  readonly name: string
  readonly region: string
  readonly door: Door
  readonly https: Endpoint
  /** For workloads, which show certificates. */
  readonly mtls: Endpoint
}

export interface RegionPlace {
  readonly name: string
  readonly servers: readonly ServerPlace[]
  readonly leafnode: LeafnodePlace
  /** Without its leafnode server, which was withdrawn. */
  readonly isCut?: boolean
  readonly doors: readonly DoorPlace[]
}

/** `laptop`: one address, ports counted up. `distributed`: an address for each server, the ports of the file. */
export type Placement = 'laptop' | 'distributed'

/** Refuses a laptop whose ports would run into each other or past 65535. */
export function placeNetwork(archipelago: Archipelago, placement: Placement): RegionPlace[] {
  return archipelago.regions.map((region, index) => {
    const ports =
      placement === 'laptop'
        ? laptopPorts(archipelago, region, index)
        : distributedPorts(archipelago.ports)
    const hosts =
      placement === 'laptop'
        ? laptopHosts(archipelago.laptop.address)
        : distributedHosts(`${region.name}.${archipelago.trustDomain}`)
    return placeRegion(region, ports, hosts)
  })
}

/** `host:port`, an IPv6 address in brackets. */
export function formatHostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

export function formatUrl(endpoint: Endpoint, scheme: 'tls' | 'wss' = 'tls'): string {
  return `${scheme}://${formatHostPort(endpoint.host, endpoint.port)}`
}

interface PortPlan {
  server(index: number): Omit<Ports, keyof DoorPorts>
  readonly leafnode: { readonly client: number; readonly monitor: number }
  door(index: number): DoorPorts
}

type DoorPorts = Pick<Ports, 'https' | 'mtls'>

interface HostPlan {
  open(name: string): Omit<Endpoint, 'port'>
  readonly loopback: string
}

function placeRegion(region: Region, ports: PortPlan, hosts: HostPlan): RegionPlace {
  const { name } = region
  const indexes = Array.from({ length: region.servers }, (_, index) => index)
  return {
    name,
    servers: indexes.map((index) => placeServer(name, index, ports, hosts)),
    leafnode: placeLeafnode(name, ports, hosts),
    doors: doors.map((door, index) => placeDoor(name, door, ports.door(index), hosts)),
  }
}

function placeServer(region: string, index: number, ports: PortPlan, hosts: HostPlan): ServerPlace {
  const name = `${region}-${index}`
  const at = ports.server(index)
  const open = hosts.open(name)
  return {
    name,
    region,
    index,
    client: { ...open, port: at.client },
    route: { ...open, port: at.route },
    leafnode: { ...open, port: at.leafnode },
    gateway: { ...open, port: at.gateway },
    workload: { ...open, port: at.workload },
    monitor: inside(hosts, at.monitor),
  }
}

function placeLeafnode(region: string, { leafnode }: PortPlan, hosts: HostPlan): LeafnodePlace {
  return {
    name: `${region}-leafnode`,
    region,
    client: inside(hosts, leafnode.client),
    monitor: inside(hosts, leafnode.monitor),
  }
}

function placeDoor(region: string, door: Door, ports: DoorPorts, hosts: HostPlan): DoorPlace {
  const name = `${region}-${door}`
  const at = (port: number): Endpoint => ({ ...hosts.open(name), port })
  return { name, region, door, https: at(ports.https), mtls: at(ports.mtls) }
}

const inside = ({ loopback }: HostPlan, port: number): Endpoint => ({
  host: loopback,
  listen: loopback,
  port,
})

// Of a region's 100 ports: ten for each server, two for its leafnode server, the last ten for its doors.
const portsPerRegion = 100
const portsPerServer = 10
const leafnodeOffset = 80
const doorOffset = 90
const mtlsOffset = 5
const serversMax = leafnodeOffset / portsPerServer
const portMax = 65_535

function laptopPorts({ laptop }: Archipelago, region: Region, index: number): PortPlan {
  const first = laptop.firstPort + index * portsPerRegion
  refuseOverflow(region, first)
  return {
    server: (server) => {
      const client = first + server * portsPerServer
      const [route, leafnode, gateway] = [client + 1, client + 2, client + 3]
      return { client, route, leafnode, gateway, monitor: client + 4, workload: client + 5 }
    },
    leafnode: { client: first + leafnodeOffset, monitor: first + leafnodeOffset + 1 },
    door: (door) => {
      const https = first + doorOffset + door
      return { https, mtls: https + mtlsOffset }
    },
  }
}

function refuseOverflow(region: Region, first: number): void {
  if (region.servers > serversMax) {
    const what = `${region.servers} servers in region ${region.name}`
    throw new Refusal('ERR_PORTS_EXHAUSTED', `at most ${serversMax} servers on a laptop: ${what}`)
  }
  if (first + portsPerRegion - 1 > portMax) {
    const what = `region ${region.name} begins at ${first}`
    throw new Refusal('ERR_PORTS_EXHAUSTED', `laptop.firstPort is too high: ${what}`)
  }
}

/** A region's processes are apart from each other (a pod each, or a machine), so all may use the same ports. */
function distributedPorts({ https, mtls, ...server }: Ports): PortPlan {
  const leafnode = { client: server.client, monitor: server.monitor }
  return { server: () => server, leafnode, door: () => ({ https, mtls }) }
}

function laptopHosts(address: string): HostPlan {
  return {
    open: () => ({ host: address, listen: address }),
    loopback: isLoopback(address) ? address : '127.0.0.1',
  }
}

function distributedHosts(domain: string): HostPlan {
  return {
    open: (name) => ({ host: `${name}.${domain}`, listen: '0.0.0.0' }),
    loopback: '127.0.0.1',
  }
}

const isLoopback = (address: string) => address === '::1' || address.startsWith('127.')
