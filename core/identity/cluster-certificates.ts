// Which certificates a region has in its cluster, one for each consumer, and exactly what each names. Whoever
// may ask for one may ask for these names and no others: policies are made of this list.
import { isIP } from 'node:net'
import type { Archipelago } from '../archipelago.ts'
import { openDoors } from '../network/access-subject.ts'
import { placeClusters } from '../network/kubernetes.ts'
import type { AuthorityKind } from './authority.ts'
import { functionId, leafnodeId, serversId, servicesDomain } from './names.ts'
import type { SpiffeId } from './spiffe-id.ts'

export interface ClusterCertificate {
  /** Of the Certificate and of the Secret that it fills. */
  readonly name: string
  readonly authority: AuthorityKind
  /** Absent where outside clients see it: those read no URIs. */
  readonly id?: SpiffeId
  readonly dns: readonly string[]
  readonly ips: readonly string[]
}

/** The pods of a StatefulSet share one identity, for they share one service account and one Secret. */
export function clusterCertificates(
  archipelago: Archipelago,
  region: string,
): ClusterCertificate[] {
  const place = placeClusters(archipelago).find(({ name }) => name === region)
  if (place === undefined) throw new TypeError(`no such region: ${region}`)
  const { addresses = [] } = archipelago.regions.find(({ name }) => name === region) ?? {}
  const outside = (own: readonly string[]) => ({
    authority: 'public' as const,
    dns: [...own, ...addresses.filter((address) => isIP(address) === 0)],
    ips: addresses.filter((address) => isIP(address) !== 0),
  })
  const inside = (id: SpiffeId, dns: readonly string[]) => ({
    authority: 'identity' as const,
    ...{ id, dns, ips: [] },
  })
  const servers = place.servers.flatMap(({ gateway, route }) => [gateway.host, route.host])
  const own = place.servers.map(({ gateway }) => gateway.host)
  const leafnode = [`${place.leafnode.name}.${region}.${archipelago.trustDomain}`]
  const open: readonly string[] = openDoors(archipelago.roles)
  return [
    { name: 'svid-nats-server', ...inside(serversId(archipelago, region), servers) },
    { name: 'public-nats-server', ...outside(own) },
    { name: 'svid-leafnode', ...inside(leafnodeId(archipelago, { region }), leafnode) },
    ...place.doors
      .filter(({ door }) => door !== 'legacy' && open.includes(door))
      .flatMap(({ door, https, mtls }): ClusterCertificate[] => {
        const service = `function-${door}.${servicesDomain(archipelago)}`
        const id = functionId(archipelago, { region, door })
        return [
          { name: `svid-function-${door}`, ...inside(id, [mtls.host, service]) },
          { name: `public-function-${door}`, ...outside([https.host]) },
        ]
      }),
  ]
}
