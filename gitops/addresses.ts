// At which addresses other regions reach a region's gateways, by what its cluster says of itself.
import * as z from 'zod'
import type { Region } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'

const named = z.object({ name: z.string() })

const nodeShape = z.object({
  kind: z.literal('Node'),
  metadata: named,
  status: z.object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })) }),
})
const serviceShape = z.object({
  kind: z.literal('Service'),
  metadata: named,
  status: z.object({
    loadBalancer: z.object({ ingress: z.array(z.object({ ip: z.string() })).default([]) }),
  }),
})

export type AddressType = 'ExternalIP' | 'InternalIP'

/** What has to be asked of the cluster for such a region. */
export const addressKind = ({ gateways }: Region): 'Node' | 'Service' =>
  gateways.startsWith('load-balancer') ? 'Service' : 'Node'

/** In the order in which archipelago.yaml wants them; refuses a cluster that has none yet. */
export function findAddresses(
  region: Region,
  objects: readonly unknown[],
  type: AddressType,
): string[] {
  const found =
    addressKind(region) === 'Node'
      ? nodeAddresses(objects, type)
      : loadBalancerAddresses(region, objects)
  if (found.length > 0) return [...new Set(found)]
  const what = addressKind(region) === 'Node' ? `no node with an ${type}` : 'no load balancer yet'
  throw new Refusal('ERR_ADDRESSES_NONE', `${region.name}: ${what}`)
}

/** By the names of nodes: the same cluster gives the same list. */
function nodeAddresses(objects: readonly unknown[], type: AddressType): string[] {
  return objects
    .flatMap((object) => nodeShape.safeParse(object).data ?? [])
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(({ status }) => status.addresses)
    .filter((each) => each.type === type)
    .map(({ address }) => address)
}

/** Of each server in their order, where each has one: none may be missing between. */
function loadBalancerAddresses({ gateways, servers }: Region, objects: readonly unknown[]) {
  const services = objects.flatMap((object) => serviceShape.safeParse(object).data ?? [])
  const names =
    gateways === 'load-balancer'
      ? ['nats-gateway']
      : Array.from({ length: servers }, (_, index) => `nats-gateway-${index}`)
  return names.flatMap((name) => {
    const [first] =
      services.find(({ metadata }) => metadata.name === name)?.status.loadBalancer.ingress ?? []
    if (first !== undefined) return [first.ip]
    throw new Refusal('ERR_ADDRESSES_NONE', `Service ${name} has no address yet`)
  })
}
