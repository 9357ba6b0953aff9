// How a function's process dials its region's leafnode server: both show identities of that region.
import type { Archipelago } from '../../core/archipelago.ts'
import { leafnodeId } from '../../core/identity/names.ts'
import { formatUrl, type DoorPlace, type RegionPlace } from '../../core/network/endpoint.ts'
import type { Target } from '../../nats/connect.ts'
import { readOrRefuse } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { identityPaths, trustFile } from '../layout.ts'

export interface FunctionAt {
  readonly archipelago: Archipelago
  readonly homes: Homes
  readonly region: RegionPlace
  readonly place: DoorPlace
}

export function leafnodeTarget({ archipelago, homes, region, place }: FunctionAt) {
  const files = identityPaths(homes.data, place)
  return {
    servers: [formatUrl(region.leafnode.client)],
    ca: readOrRefuse(trustFile(homes.data, region.name), 'authority'),
    identity: {
      certificate: readOrRefuse(files.certificate, 'certificate'),
      key: readOrRefuse(files.key, 'key'),
      peer: leafnodeId(archipelago, region.leafnode),
    },
  } satisfies Omit<Target, 'name'>
}
