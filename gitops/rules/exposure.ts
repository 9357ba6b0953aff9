import type { V1Service } from '@kubernetes/client-node'
import type { Region } from '../../core/archipelago.ts'
import { describeManifest, type Manifest } from '../manifest.ts'
import type { ManifestRule } from '../rule.ts'

/**
 * A cluster is open to the outside where archipelago.yaml says so, and nowhere else: people are told of the
 * ways in by that file. Each way keeps the addresses of those who come, for records and for firewalls.
 */
export const opensWhatIsDeclared: ManifestRule = {
  name: 'services are open as declared',
  scope: 'overlays',
  find: ({ manifests, archipelago, region: name }) => {
    const region = archipelago.regions.find((one) => one.name === name)
    if (region === undefined) return []
    return manifests.filter(({ kind }) => kind === 'Service').flatMap((one) => faults(one, region))
  },
}

function faults(manifest: Manifest, region: Region): string[] {
  const { type = 'ClusterIP', externalTrafficPolicy = 'Cluster' } =
    (manifest as V1Service).spec ?? {}
  const wanted = wantedType(manifest.metadata.name, region)
  const what = describeManifest(manifest)
  if (type !== wanted) return [`${what}: is a ${type}, not a ${wanted}`]
  if (type === 'ClusterIP' || externalTrafficPolicy === 'Local') return []
  return [`${what}: hides who comes (externalTrafficPolicy: ${externalTrafficPolicy}, not Local)`]
}

type Type = 'ClusterIP' | 'NodePort' | 'LoadBalancer'

function wantedType(name: string, { gateways, clients }: Region): Type {
  if (/^nats-gateway(-\d+)?$/.test(name)) return typeOf(gateways)
  if (/^(nats-client|function-.+)$/.test(name)) return typeOf(clients)
  return 'ClusterIP'
}

function typeOf(way: Region['gateways'] | Region['clients']): Type {
  if (way === 'node-address') return 'NodePort'
  return way.startsWith('load-balancer') ? 'LoadBalancer' : 'ClusterIP'
}
