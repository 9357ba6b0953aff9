// What is left of a network without the processes whose identities were withdrawn: those do not run, get
// no certificate, and stand in nobody's configuration.
import type { Archipelago } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import { functionId, leafnodeId, regionDomain, serverId } from '../identity/names.ts'
import { trustDomainOf, type SpiffeId } from '../identity/spiffe-id.ts'
import { quote } from '../quote.ts'
import { openDoors } from './access-subject.ts'
import type { RegionPlace } from './endpoint.ts'

type Network = Pick<Archipelago, 'trustDomain' | 'roles'>

/** A leafnode server without a function is out as well: it would have nobody to admit. */
export function withoutWithdrawn(
  archipelago: Network,
  regions: readonly RegionPlace[],
  withdrawn: readonly string[],
): RegionPlace[] {
  if (withdrawn.length === 0) return [...regions]
  const gone = new Set(withdrawn)
  const open = openDoors(archipelago.roles) as readonly string[]
  return regions.map((region) => {
    const servers = region.servers.filter((place) => !gone.has(serverId(archipelago, place)))
    const doors = region.doors.filter((place) => !gone.has(functionId(archipelago, place)))
    const isCut =
      gone.has(leafnodeId(archipelago, region.leafnode)) ||
      !doors.some(({ door }) => open.includes(door))
    return isCut ? { ...region, servers, doors: [], isCut } : { ...region, servers, doors }
  })
}

export interface WithdrawnPlace {
  readonly kind: 'server' | 'leafnode' | 'function' | 'workload'
  /** Undefined for a workload of another trust domain, whose tokens we take. */
  readonly region: string | undefined
}

/**
 * What an identity is in these regions. Refuses one of our trust domain but of no region, and the last
 * server of a region: without it nobody there could be reached, so the region itself has to go.
 */
export function placeOfIdentity(
  archipelago: Pick<Archipelago, 'trustDomain'>,
  regions: readonly RegionPlace[],
  id: SpiffeId,
): WithdrawnPlace {
  const domain = trustDomainOf(id)
  const region = regions.find(({ name }) => regionDomain(archipelago, name) === domain)
  if (region === undefined && !`.${domain}`.endsWith(`.${archipelago.trustDomain}`))
    return { kind: 'workload', region: undefined }
  if (region === undefined)
    throw new Refusal('ERR_REGION_UNKNOWN', `identity of no region here: ${quote(id)}`)
  const { name, servers, leafnode, doors } = region
  const isServer = servers.some((place) => serverId(archipelago, place) === id)
  if (isServer && servers.length === 1)
    throw new Refusal('ERR_SERVER_LAST', `the last server of region ${name}: ${quote(id)}`)
  if (isServer) return { kind: 'server', region: name }
  if (leafnodeId(archipelago, leafnode) === id) return { kind: 'leafnode', region: name }
  const isFunction = doors.some((place) => functionId(archipelago, place) === id)
  return { kind: isFunction ? 'function' : 'workload', region: name }
}
