import { formatUrl, type RegionPlace } from '../../core/network/endpoint.ts'
import { outsideOf } from '../../core/network/outside.ts'
import { writeNetworkFile as writeFile } from '../../store/network-file.ts'
import { nowSeconds } from './now.ts'
import type { NetworkRuntime } from './runtime.ts'

/** Writes the one public file that a newcomer needs; hands back its path. */
export function writeNetworkFile({
  files,
  homes,
  trust: { archipelago, operator },
  supercluster,
}: Pick<NetworkRuntime, 'files' | 'homes' | 'trust' | 'supercluster'>): string {
  const place = { files, homes, archipelago, nowSeconds: nowSeconds() }
  const regions = supercluster.regions.map((region) => outsideOf(region, archipelago))
  return writeFile(place, operator, regions)
}

/** URLs for clients, of one region or of all. */
export function clientUrls(regions: readonly RegionPlace[], region?: string): string[] {
  return regions
    .filter(({ name }) => region === undefined || name === region)
    .flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))
}
