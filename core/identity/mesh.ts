// Service meshes for which a region may have an authority, each below a root of its own: what a mesh issues is
// no identity of this network, and none of another mesh. docs/mesh.md says what each one's verifiers bear.
import type { Archipelago } from '../archipelago.ts'
import { noSubtrees, type NameConstraints } from './name-constraints.ts'

export const meshes = ['istio', 'linkerd', 'osm'] as const
export type Mesh = (typeof meshes)[number]

type Facts = Pick<Archipelago, 'kubernetes'>

/** Where its control plane runs and reads the authority, by that mesh's own defaults. */
export interface MeshPlace {
  readonly namespace: string
  /** The Secret that cert-manager fills: `tls.crt`, `tls.key`, `ca.crt`. */
  readonly secret: string
}

export const meshPlaces: Readonly<Record<Mesh, MeshPlace>> = {
  istio: { namespace: 'istio-system', secret: 'cacerts' },
  linkerd: { namespace: 'linkerd', secret: 'linkerd-identity-issuer' },
  osm: { namespace: 'osm-system', secret: 'osm-authority' },
}

const everyAddress = ['0.0.0.0/0', '::/0']

/** What its authority in the region with this trust domain may name: no address, whichever mesh it is. */
export function meshConstraints(facts: Facts, mesh: Mesh, domain: string): NameConstraints {
  return {
    permitted: { ...noSubtrees, ...permitted[mesh](facts, domain) },
    excluded: { ...noSubtrees, ips: everyAddress },
  }
}

type Permitted = (facts: Facts, domain: string) => Partial<NameConstraints['permitted']>

const permitted: Readonly<Record<Mesh, Permitted>> = {
  // Workloads by URI; DNS names are those of istiod itself, for sidecars and the API server.
  istio: (_, domain) => ({ uris: [domain], dns: [`${meshPlaces.istio.namespace}.svc`] }),
  // By DNS names, the same in every cluster. rustls-webpki (>= 0.103.12) refuses every chain with a limit on URIs.
  linkerd: ({ kubernetes }) => ({
    dns: [`serviceaccount.identity.${meshPlaces.linkerd.namespace}.${kubernetes.clusterDomain}`],
  }),
  // Workloads below the trust domain, which the component sets to the region's, by URI too where it is told so
  // (spiffeEnabled); webhooks as services.
  osm: (_, domain) => ({ uris: [domain], dns: [domain, `${meshPlaces.osm.namespace}.svc`] }),
}

/** Whether its identities are SPIFFE IDs, and its authority says so of itself, too. */
export const namesUris = (mesh: Mesh): boolean => mesh === 'istio'
