// A region of archipelago.yaml: where it is found, how large it is, how others reach its gateways.
import * as z from 'zod'
import { isAddress, isIpAddress } from './address.ts'
import { broken, list, whole } from './terms.ts'

const gatewayKinds = ['node-address', 'host-port', 'load-balancer', 'load-balancers'] as const
export type GatewayKind = (typeof gatewayKinds)[number]

const clientKinds = ['node-address', 'load-balancer', 'cluster'] as const
export type ClientKind = (typeof clientKinds)[number]

const illegalAddress = broken('illegal address', 'a lower-case DNS name or an IP address')
const address = z.string(illegalAddress).refine(isAddress, illegalAddress)

const illegalIp = broken('not an IP address')
const ip = z.string(illegalIp).refine(isIpAddress, illegalIp)

export const regionSchema = z.strictObject({
  addresses: list(address, { min: 1, max: 9 }).describe(
    'Public DNS names or IP addresses of the region.',
  ),
  servers: whole(1, 9).default(3).describe('Number of nats-servers in the cluster of the region.'),
  gateways: z
    .enum(gatewayKinds, broken('unknown way to its gateways', `one of ${gatewayKinds.join(', ')}`))
    .default('node-address')
    .describe(
      'How other regions reach its servers in Kubernetes: node-address (a node port for each server), host-port (ports.gateway of the node), load-balancer (one for all), load-balancers (one for each).',
    ),
  clients: z
    .enum(clientKinds, broken('unknown way in for clients', `one of ${clientKinds.join(', ')}`))
    .default('node-address')
    .describe(
      'How people and workloads reach it from outside of its cluster: node-address (kubernetes.clientNodePort and those after it), load-balancer (one for its servers, one for each door), cluster (not at all, or by a way of your own to the ports of this file).',
    ),
  nodes: list(ip, { min: 0, max: 64 })
    .default([])
    .describe(
      'IP addresses behind the names of its gateways: of its nodes, of its load balancer, or of those of its servers in their order. Without them the names are looked up in DNS.',
    ),
})
