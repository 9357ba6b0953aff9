// What NetworkPolicies let through, by the rules of networking.k8s.io/v1: allowances add up, and a pod
// that any policy selects for a direction is closed to the rest of it.
import { BlockList, isIP } from 'node:net'
import type {
  V1LabelSelector,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
} from '@kubernetes/client-node'
import type { Manifest } from './manifest.ts'

export type Labels = Readonly<Record<string, string>>

/** One end of a connection: a pod, or an address outside of the cluster. */
export type Peer = PodPeer | { readonly address: string }

export interface PodPeer {
  readonly namespace: string
  readonly namespaceLabels?: Labels
  readonly labels: Labels
  /** Blocks of addresses are meant for those outside; yet one that holds a pod's lets the pod in, too. */
  readonly address?: string
  /** Its ports by their names, for policies that say a name. */
  readonly ports?: readonly NamedPort[]
}

export interface NamedPort {
  readonly name?: string
  readonly containerPort: number
}

export interface Flow {
  readonly from: Peer
  readonly to: Peer
  readonly port: number
  readonly protocol?: 'TCP' | 'UDP'
}

export type Direction = 'Ingress' | 'Egress'

export const networkPolicies = (manifests: readonly Manifest[]): V1NetworkPolicy[] =>
  manifests.filter(({ kind }) => kind === 'NetworkPolicy')

/** Out of its source and into its target; an end outside of the cluster lets everything through. */
export function allows(policies: readonly V1NetworkPolicy[], flow: Flow): boolean {
  return permits(policies, 'Egress', flow) && permits(policies, 'Ingress', flow)
}

/** Those that say what a pod may do in a direction; without any it may do everything. */
export function policiesOf(
  policies: readonly V1NetworkPolicy[],
  direction: Direction,
  pod: PodPeer,
): V1NetworkPolicy[] {
  return policies.filter(
    ({ metadata, spec }) =>
      metadata?.namespace === pod.namespace &&
      matches(spec?.podSelector ?? {}, pod.labels) &&
      typesOf(spec).includes(direction),
  )
}

/** As the API server fills it in where a policy does not say it. */
const typesOf = (spec: V1NetworkPolicy['spec']): readonly string[] =>
  spec?.policyTypes ?? (spec?.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'])

function permits(policies: readonly V1NetworkPolicy[], direction: Direction, flow: Flow): boolean {
  const [own, other] = direction === 'Egress' ? [flow.from, flow.to] : [flow.to, flow.from]
  if (!('labels' in own)) return true
  const selecting = policiesOf(policies, direction, own)
  if (selecting.length === 0) return true
  return selecting.some(({ spec, metadata }) => {
    const rules = direction === 'Egress' ? egressRules(spec) : ingressRules(spec)
    return rules.some(
      ({ peers = [], ports = [] }) =>
        (peers.length === 0 || peers.some((peer) => isPeer(peer, other, metadata?.namespace))) &&
        (ports.length === 0 || ports.some((port) => isPort(port, flow))),
    )
  })
}

interface Rule {
  readonly peers?: readonly V1NetworkPolicyPeer[] | undefined
  readonly ports?: readonly V1NetworkPolicyPort[] | undefined
}

export const ingressRules = (spec: V1NetworkPolicy['spec']): Rule[] =>
  (spec?.ingress ?? []).map(({ _from, ports, ...rest }) => ({
    // As YAML has it, where the client's types say `_from`.
    peers: _from ?? (rest as { from?: V1NetworkPolicyPeer[] }).from,
    ports,
  }))

const egressRules = (spec: V1NetworkPolicy['spec']): Rule[] =>
  (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))

function isPeer(
  { ipBlock, podSelector, namespaceSelector }: V1NetworkPolicyPeer,
  peer: Peer,
  ownNamespace: string | undefined,
): boolean {
  if (ipBlock !== undefined) {
    const within = (cidr: string) => peer.address !== undefined && isWithin(peer.address, cidr)
    return within(ipBlock.cidr) && !(ipBlock.except ?? []).some(within)
  }
  if (!('labels' in peer)) return false
  const isNear =
    namespaceSelector === undefined
      ? peer.namespace === ownNamespace
      : matches(namespaceSelector, namespaceLabels(peer))
  return isNear && matches(podSelector ?? {}, peer.labels)
}

const namespaceLabels = ({ namespace, namespaceLabels = {} }: PodPeer): Labels => ({
  'kubernetes.io/metadata.name': namespace,
  ...namespaceLabels,
})

function isWithin(address: string, cidr: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/')
  const family = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4')
  if (family(network) !== family(address)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), family(network))
  return list.check(address, family(address))
}

function isPort({ port, endPort, protocol = 'TCP' }: V1NetworkPolicyPort, flow: Flow): boolean {
  if (protocol !== (flow.protocol ?? 'TCP')) return false
  if (port === undefined) return true
  if (typeof port === 'number') return flow.port >= port && flow.port <= (endPort ?? port)
  const named = 'labels' in flow.to ? (flow.to.ports ?? []) : []
  return named.some(({ name, containerPort }) => name === port && containerPort === flow.port)
}

function matches({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector, labels: Labels) {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      if (operator === 'In') return value !== undefined && values.includes(value)
      return value === undefined || !values.includes(value)
    })
  )
}
