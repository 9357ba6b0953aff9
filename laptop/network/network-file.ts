import {
  formatNetworkFile,
  type NetworkFile,
  type NetworkRegion,
} from '../../core/access/network-file.ts'
import type { Archipelago } from '../../core/archipelago.ts'
import { doorPath, openDoors } from '../../core/network/access-subject.ts'
import { formatHostPort, formatUrl, type RegionPlace } from '../../core/network/endpoint.ts'
import { serviceLifetimeSeconds } from '../../core/trust/lifetime.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { parseRegionKeys } from '../../core/trust/region-keys.ts'
import { signTokenKey } from '../../core/trust/token-key.ts'
import { operatorSigner } from '../../store/operator.ts'
import { rootsFile } from '../../store/authority-files.ts'
import { readOrRefuse } from '../../store/files.ts'
import { publicFiles } from '../../store/public.ts'
import { keepServiceCreds } from '../../store/service-credential.ts'
import { nowSeconds } from './now.ts'
import type { NetworkRuntime } from './runtime.ts'

/** Writes the one public file that a newcomer needs; hands back its path. */
export function writeNetworkFile({
  files,
  homes,
  trust,
  supercluster,
}: Pick<NetworkRuntime, 'files' | 'homes' | 'trust' | 'supercluster'>): string {
  const { archipelago, operator } = trust
  const lobby = keepServiceCreds(operator, 'lobby', nowSeconds())
  const file: NetworkFile = {
    version: 1,
    network: archipelago.network,
    operator: operator.operator.text,
    ca: readOrRefuse(rootsFile(homes.public, 'public'), 'public root'),
    regions: supercluster.regions.map((region) => ({
      name: region.name,
      servers: clientUrls([region]),
      https: httpsUrls(region, archipelago),
      ...workloadUrls(region, archipelago),
      ...tokenKeyOf({ files, homes, trust }, region.name),
    })),
    lobbyCreds: readOrRefuse(lobby, 'lobby credential'),
  }
  const path = publicFiles.network(homes.public, archipelago.network)
  files.write(path, formatNetworkFile(file))
  return path
}

/** URLs for clients, of one region or of all. */
export function clientUrls(regions: readonly RegionPlace[], region?: string): string[] {
  return regions
    .filter(({ name }) => region === undefined || name === region)
    .flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))
}

function httpsUrls(
  { doors }: RegionPlace,
  { roles }: Archipelago,
): NetworkFile['regions'][number]['https'] {
  const open = openDoors(roles)
  const urls = doors.flatMap(({ door, https }) =>
    door !== 'legacy' && open.includes(door)
      ? [[door, `https://${formatHostPort(https.host, https.port)}${doorPath(door)}`]]
      : [],
  )
  return Object.fromEntries(urls) as NetworkFile['regions'][number]['https']
}

/** Where some role has the door identity. */
function workloadUrls(
  { servers, doors }: RegionPlace,
  { roles }: Archipelago,
): Pick<NetworkRegion, 'workloads'> {
  const place = doors.find(({ door }) => door === 'identity')
  if (place === undefined || !openDoors(roles).includes('identity')) return {}
  const { host, port } = place.mtls
  return {
    workloads: {
      servers: servers.map((each) => formatUrl(each.workload, 'wss')),
      exchange: `https://${formatHostPort(host, port)}${doorPath('identity')}`,
    },
  }
}

/** Where the region has the door identity. */
function tokenKeyOf(
  { files, homes, trust: { operator: home } }: Pick<NetworkRuntime, 'files' | 'homes' | 'trust'>,
  region: string,
): { tokenKey?: string } {
  const keys = files.read(publicFiles.region(homes.public, region))
  const curve = keys === undefined ? undefined : parseRegionKeys(keys).doors.identity?.tokenKey
  if (curve === undefined) return {}
  const { store, operator } = home
  const now = nowSeconds()
  const key = signTokenKey(operatorSigner(store, operator), {
    ...{ operator: operator.claims.sub as Nkey<'operator'>, region, curve, nowSeconds: now },
    expiresAtSeconds: now + serviceLifetimeSeconds.lobby,
  })
  return { tokenKey: key.text }
}
