// The walls around what a commit may do in a cluster: for each Application a project with its one
// repository, its one namespace and the kinds that it needs.
import type { Archipelago } from '../../core/archipelago.ts'
import { meshPlaces, type Mesh } from '../../core/identity/mesh.ts'
import { argocdNamespace, inCluster } from '../argocd.ts'

type Facts = Pick<Archipelago, 'gitops' | 'kubernetes'>

interface Walls {
  readonly description: string
  readonly namespace: string
  readonly kinds: readonly Kind[]
  readonly clusterKinds?: readonly (Kind & { readonly name: string })[]
}

interface Kind {
  readonly group: string
  readonly kind: string
}

const kinds = (group: string, ...names: readonly string[]): Kind[] =>
  names.map((kind) => ({ group, kind }))

/** Keeps the other Applications, and no projects: what a commit may do, no commit can widen. */
export function rootProject(facts: Facts): object {
  return project(facts, 'root', {
    description: 'The Applications of this region.',
    namespace: argocdNamespace,
    kinds: kinds('argoproj.io', 'Application'),
  })
}

/** No Secret: what is secret is made in the cluster. Of cluster-wide objects its own namespace alone. */
export function natsProject(facts: Facts): object {
  const { namespace } = facts.kubernetes
  return project(facts, 'nats', {
    description: 'The servers and functions of this region.',
    namespace,
    kinds: [
      ...kinds('', 'ConfigMap', 'Service', 'ServiceAccount'),
      ...kinds('apps', 'Deployment', 'StatefulSet'),
      ...kinds('batch', 'Job'),
      ...kinds('cert-manager.io', 'Certificate', 'Issuer'),
      ...kinds('networking.k8s.io', 'NetworkPolicy'),
      ...kinds('policy', 'PodDisruptionBudget'),
      ...kinds('rbac.authorization.k8s.io', 'Role', 'RoleBinding'),
    ],
    // Those that guard it lie outside of it: manifests/guards.
    clusterKinds: [{ group: '', kind: 'Namespace', name: namespace }],
  })
}

export function trustProject(facts: Facts): object {
  return project(facts, 'trust', {
    description: 'What the operator signed: accounts, deny list, authorities.',
    namespace: facts.kubernetes.namespace,
    kinds: kinds('', 'ConfigMap'),
  })
}

/** Of the mesh's namespace, where everything else is the mesh's own, what its authority needs. */
export function meshProject(facts: Facts, mesh: Mesh): object {
  return project(facts, `mesh-${mesh}`, {
    description: `The authority of ${mesh} in this region.`,
    namespace: meshPlaces[mesh].namespace,
    kinds: [
      ...kinds('cert-manager.io', 'Certificate', ...(mesh === 'osm' ? ['Issuer'] : [])),
      ...(mesh === 'osm' ? kinds('config.openservicemesh.io', 'MeshRootCertificate') : []),
    ],
  })
}

/** Argo CD's own project admits everything until it is emptied, and cannot be deleted. */
export function defaultProject(): object {
  return {
    ...head('default'),
    spec: {
      description: 'Closed: an Application names a project of its own.',
      sourceRepos: [],
      destinations: [],
      namespaceResourceBlacklist: [{ group: '*', kind: '*' }],
    },
  }
}

function project({ gitops }: Facts, name: string, walls: Walls): object {
  return {
    ...head(name),
    spec: {
      description: walls.description,
      sourceRepos: [gitops.repository],
      destinations: [{ server: inCluster, namespace: walls.namespace }],
      ...(walls.clusterKinds === undefined ? {} : { clusterResourceWhitelist: walls.clusterKinds }),
      namespaceResourceWhitelist: walls.kinds,
      ...sourceIntegrity(gitops),
    },
  }
}

const head = (name: string) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name, namespace: argocdNamespace },
})

/** `strict`: every ancestor too, back to a commit that was signed as a seal. */
function sourceIntegrity({ repository, signers }: Archipelago['gitops']): object {
  if (signers.length === 0) return {}
  const gpg = { mode: 'strict', keys: signers }
  return { sourceIntegrity: { git: { policies: [{ repos: [{ url: repository }], gpg }] } } }
}
