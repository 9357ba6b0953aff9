// A router that stands for the internet, a switch for each region, and the nodes behind it:
// client – router – switch – nodes, each in a network namespace of its own.
import { client, nodeAddresses, type RegionAddresses } from './addresses.ts'
import { namespaceFile } from './clean.ts'
import type { LabPlace } from './place.ts'
import { run } from './run.ts'

export interface RegionNetwork {
  readonly region: string
  readonly nodes: number
  readonly addresses: RegionAddresses
}

/** The names of namespaces. */
export const names = {
  router: (id: string) => `${id}-wan`,
  client: (id: string) => `${id}-client`,
  regionSwitch: (id: string, region: string) => `${id}-${region}-sw`,
  node: (id: string, region: string, node: number) => `${id}-${region}-${node}`,
}

export async function makeInternet(place: LabPlace): Promise<void> {
  const [router, outside] = [names.router(place.id), names.client(place.id)]
  await makeNamespaces(place, [router, outside])
  await ip(router, [
    `link add client type veth peer name eth0 netns ${outside}`,
    `addr add ${client.router}/30 dev client`,
    'link set client up',
  ])
  await ip(outside, [
    `addr add ${client.client}/30 dev eth0`,
    'link set eth0 up',
    `route add default via ${client.router}`,
  ])
}

export async function makeRegionNetwork(place: LabPlace, network: RegionNetwork): Promise<void> {
  const { region, addresses } = network
  const own = names.regionSwitch(place.id, region)
  const nodes = numbers(network.nodes).map((node) => names.node(place.id, region, node))
  await makeNamespaces(place, [own, ...nodes])
  await ip(names.router(place.id), [
    `link add ${region} type veth peer name uplink netns ${own}`,
    `addr add ${addresses.uplink.router}/30 dev ${region}`,
  ])
  await ip(own, [
    `addr add ${addresses.uplink.region}/30 dev uplink`,
    'link set uplink up',
    `route add default via ${addresses.uplink.router}`,
    'link add br0 type bridge',
    `addr add ${addresses.gateway}/24 dev br0`,
    'link set br0 up',
  ])
  await joinRegion(place.id, network)
  await Promise.all(numbers(network.nodes).map((node) => connectNode(place.id, network, node)))
}

/** Cuts a region off from the router, as a broken line does. */
export async function cutRegion(id: string, { region }: RegionNetwork): Promise<void> {
  await ip(names.router(id), [`link set ${region} down`])
}

/** A link that goes down takes its routes with it. */
export async function joinRegion(id: string, { region, addresses }: RegionNetwork): Promise<void> {
  await ip(names.router(id), [
    `link set ${region} up`,
    `route replace ${addresses.nodes} via ${addresses.uplink.region}`,
  ])
}

/** Pods of a region reach each other by routes; nobody outside reaches them. */
async function connectNode(id: string, network: RegionNetwork, node: number): Promise<void> {
  const { region, addresses } = network
  const [own, port] = [names.node(id, region, node), `p${node}`]
  await ip(names.regionSwitch(id, region), [
    `link add ${port} type veth peer name eth0 netns ${own}`,
    `link set ${port} master br0 up`,
  ])
  const others = numbers(network.nodes).filter((each) => each !== node)
  const peers = others.map((each) => nodeAddresses(addresses, each))
  await ip(own, [
    `addr add ${nodeAddresses(addresses, node).node}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${addresses.gateway}`,
    ...peers.map((peer) => `route add ${peer.pods} via ${peer.node}`),
  ])
}

async function makeNamespaces(place: LabPlace, all: readonly string[]): Promise<void> {
  place.keep({ namespaces: all })
  for (const name of all) {
    await run('ip', ['netns', 'add', name])
    await ip(name, ['link set lo up'])
    const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward'
    await run('nsenter', [`--net=${namespaceFile(name)}`, 'sh', '-c', forward])
  }
}

async function ip(namespace: string, commands: readonly string[]): Promise<void> {
  await run('ip', ['-n', namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` })
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
