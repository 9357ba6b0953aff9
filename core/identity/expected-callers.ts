// Who may be at the other end of a connection that came by a certificate.
import type { Archipelago } from '../archipelago.ts'
import type { RegionPlace, ServerPlace } from '../network/endpoint.ts'
import { functionDoors } from '../network/access-subject.ts'
import type { RegionKeys } from '../trust/region-keys.ts'
import { functionId, leafnodeId, serverId } from './names.ts'
import { isWorkloadId } from '../archipelago/workload-id.ts'
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts'

/** As its server lists it. */
export interface Caller {
  readonly kind: 'client' | 'leafnode'
  readonly nkey?: string
  /** What its user JWT calls it. */
  readonly jwtName?: string
}

type Domain = Pick<Archipelago, 'trustDomain'>

/**
 * At a server of a region: its leafnode server, and workloads, each the one that its credential is for.
 * Undefined: whoever has an identity, for the credential names none of this network. Nobody, where it names
 * what is none: a thief of a signing key chooses names.
 */
export function callersOfServer(
  domain: Domain,
  { region }: Pick<ServerPlace, 'region'>,
  { kind, jwtName }: Caller,
): readonly SpiffeId[] | undefined {
  if (kind === 'leafnode') return [leafnodeId(domain, { region })]
  const [, host = ''] = /^spiffe:\/\/([^/]*)/.exec(jwtName ?? '') ?? []
  if (jwtName === undefined || !host.endsWith(`.${domain.trustDomain}`)) return undefined
  return isWorkloadId(jwtName) ? [parseSpiffeId(jwtName)] : []
}

/** At a leafnode server: the functions of its region by their nkeys, and the servers that it dialled. */
export function callersOfLeafnode(
  domain: Domain,
  { region, keys }: { region: RegionPlace; keys: RegionKeys },
  { kind, nkey }: Caller,
): readonly SpiffeId[] {
  if (kind === 'leafnode') return region.servers.map((server) => serverId(domain, server))
  return functionDoors
    .filter((door) => nkey !== undefined && keys.doors[door]?.nkey === nkey)
    .map((door) => functionId(domain, { region: region.name, door }))
}
