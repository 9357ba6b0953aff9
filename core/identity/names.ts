// What the processes of a network are called: one SPIFFE ID each, in the trust domain of its region,
// and below that domain the DNS names by which its peers dial it.
import { isIP } from 'node:net'
import type { Archipelago } from '../archipelago.ts'
import type { DoorPlace, LeafnodePlace, ServerPlace } from '../network/endpoint.ts'
import type { LeafProfile } from './issue.ts'
import {
  formatSpiffeId,
  parseTrustDomain,
  pathOf,
  trustDomainOf,
  type SpiffeId,
  type TrustDomain,
} from './spiffe-id.ts'

type Domain = Pick<Archipelago, 'trustDomain'>
type Network = Pick<Archipelago, 'trustDomain' | 'kubernetes'>
type Process = Pick<ServerPlace, 'name' | 'region'>

/** SPIFFE cannot limit an authority to a path, so each region is a trust domain of its own. */
export function regionDomain({ trustDomain }: Domain, region: string): TrustDomain {
  return parseTrustDomain(`${region}.${trustDomain}`)
}

export function serverId(domain: Domain, { region, index }: ServerPlace): SpiffeId {
  return formatSpiffeId(regionDomain(domain, region), 'nats', `server-${index}`)
}

/** In a cluster, where the servers of a region are pods that share what they are known by. */
export function serversId(domain: Domain, region: string): SpiffeId {
  return formatSpiffeId(regionDomain(domain, region), 'nats', 'server')
}

/** Of whatever region: whose authority signed it says which. */
export const isServerId = (id: SpiffeId): boolean => /^\/nats\/server(-\d+)?$/.test(pathOf(id))

/** Of this region alone: the trust domains of regions begin with their names. */
export const isFunctionOf =
  ({ region, door }: Pick<DoorPlace, 'region' | 'door'>) =>
  (id: SpiffeId): boolean =>
    trustDomainOf(id).startsWith(`${region}.`) && pathOf(id) === `/function/${door}`

/** A program that is no part of the network itself, by the name that the command or the record gives it. */
export function workloadId(domain: Domain, { region, name }: Process): SpiffeId {
  return formatSpiffeId(regionDomain(domain, region), 'workload', name)
}

export function leafnodeId(domain: Domain, { region }: Pick<LeafnodePlace, 'region'>): SpiffeId {
  return formatSpiffeId(regionDomain(domain, region), 'nats', 'leafnode')
}

export function functionId(
  domain: Domain,
  { region, door }: Pick<DoorPlace, 'region' | 'door'>,
): SpiffeId {
  return formatSpiffeId(regionDomain(domain, region), 'function', door)
}

/** An identity, its name below the region's domain, and the addresses at which it is dialled. */
export function identityLeaf(
  domain: Domain,
  { name, region }: Process,
  { id, hosts }: { readonly id: SpiffeId; readonly hosts: readonly string[] },
): LeafProfile {
  const own = `${name}.${regionDomain(domain, region)}`
  return { id, ...splitHosts([own, ...hosts]) }
}

/** The names of services inside of a cluster lie below it; every region has the same. */
export function servicesDomain({ kubernetes }: Pick<Archipelago, 'kubernetes'>): string {
  return `${kubernetes.namespace}.svc.${kubernetes.clusterDomain}`
}

/** Where every process has an address of its own, which then is in no certificate. */
export function serverLeaf(network: Network, server: ServerPlace): LeafProfile {
  const pod = `${server.name}.${network.kubernetes.service}.${servicesDomain(network)}`
  return identityLeaf(network, server, { id: serverId(network, server), hosts: [pod] })
}

export function leafnodeLeaf(network: Network, leafnode: LeafnodePlace): LeafProfile {
  const service = `${leafnode.name}.${servicesDomain(network)}`
  return identityLeaf(network, leafnode, { id: leafnodeId(network, leafnode), hosts: [service] })
}

export function functionLeaf(network: Network, place: DoorPlace): LeafProfile {
  const service = `${place.name}.${servicesDomain(network)}`
  return identityLeaf(network, place, { id: functionId(network, place), hosts: [service] })
}

/** What outside clients are shown: names by which they find the region, and no identity. */
export function publicLeaf(hosts: readonly string[]): LeafProfile {
  return splitHosts(hosts)
}

function splitHosts(hosts: readonly string[]): { dns: string[]; ips: string[] } {
  const all = [...new Set(hosts)]
  return {
    dns: all.filter((host) => isIP(host) === 0),
    ips: all.filter((host) => isIP(host) !== 0),
  }
}
