// A region's functions: which keys each holds, which accounts there are, what its leafnode server is told.
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import { configureLeafnodePod, leafnodeIncludes } from '../../core/network/function-pod.ts'
import { openDoors, type FunctionDoor } from '../../core/network/access-subject.ts'
import { clusterDoors } from '../../core/network/clients.ts'
import { accountNames } from '../../core/trust/declare.ts'
import { mountedAt, secretKeys } from '../../store/region-secrets.ts'
import {
  formatAll,
  formatGenerated,
  generatedHeader,
  type Kustomization,
} from '../kustomization.ts'
import type { RegionPart } from '../render.ts'
import { trustKey } from './trust.ts'

export function renderFunctions(archipelago: Archipelago, region: Region): RegionPart {
  const open: readonly string[] = openDoors(archipelago.roles)
  const configuration = configureLeafnodePod(archipelago, region.name)
  const leafnode = formatConfiguration(configuration, generatedHeader, leafnodeIncludes)
  const doors = clusterDoors.map((door) => [
    `functions/${door}.yaml`,
    open.includes(door) ? formatGenerated(deployment(archipelago, door)) : formatAll(closed(door)),
  ]) as [string, string][]
  return {
    files: new Map([
      // Whose tokens count is among what the operator signs.
      ['archipelago.json', `${JSON.stringify({ ...archipelago, issuers: [] }, undefined, 2)}\n`],
      ['leafnode.conf', leafnode],
      ['prove.yaml', formatGenerated(prove(archipelago))],
      ...doors,
    ]),
    kustomization: kustomization(
      archipelago,
      doors.map(([path]) => path),
    ),
  }
}

const kustomization = (
  { trustDomain, kubernetes: { namespace } }: Archipelago,
  patches: readonly string[],
): Kustomization => ({
  configMapGenerator: [
    {
      ...{ name: 'archipelago', namespace, files: ['archipelago.json'] },
      // Before the jobs that read it.
      options: { annotations: { 'argocd.argoproj.io/sync-wave': '-4' } },
    },
    { name: 'region', namespace, literals: [`trust-domain=${trustDomain}`] },
    { name: 'leafnode-config', namespace, files: ['leafnode.conf'] },
  ],
  patches: [...patches, 'prove.yaml'].map((path) => ({ path })),
})

/** Where its roles' keys and the accounts are mounted; what is not there yet is left out. */
function deployment(archipelago: Archipelago, door: FunctionDoor): object {
  const keys = secretKeys(archipelago, door).map((key) => ({ key, path: mountedAt(key) }))
  const volumes = [
    { name: 'keys', secret: { items: keys } },
    { name: 'public', configMap: { items: trustItems(archipelago) } },
  ]
  return { ...named('apps/v1', 'Deployment', door), spec: { template: { spec: { volumes } } } }
}

/** The lobby's door, as a newcomer is told of it. */
const prove = ({ network }: Archipelago): object => {
  const items = [{ key: `${network}.lobby.json`, path: 'network.json' }]
  const volumes = [{ name: 'network', configMap: { items } }]
  const metadata = { name: 'prove-region' }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: { template: { spec: { volumes } } },
  }
}

const closed = (door: FunctionDoor) =>
  [
    ['apps/v1', 'Deployment'],
    ['v1', 'Service'],
    ['v1', 'ServiceAccount'],
    ['policy/v1', 'PodDisruptionBudget'],
  ].map(([apiVersion = '', kind = '']) => ({ ...named(apiVersion, kind, door), $patch: 'delete' }))

const named = (apiVersion: string, kind: string, door: FunctionDoor) => ({
  ...{ apiVersion, kind },
  metadata: { name: `function-${door}` },
})

function trustItems(archipelago: Archipelago): { key: string; path: string }[] {
  const paths = [
    'operator.jwt',
    'deny-list.jwt',
    'configuration.jwt',
    ...accountNames(archipelago).map((name) => `accounts/${name}.jwt`),
    'identity/roots.pem',
    'identity/public-roots.pem',
    'identity/bundle-map.json',
  ]
  return paths.map((path) => ({ key: trustKey(path), path }))
}
