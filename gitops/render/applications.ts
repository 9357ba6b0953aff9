// What each region's own Argo CD pulls: its root, the servers and functions, and the trust.
import type { Archipelago } from '../../core/archipelago.ts'
import { meshPlaces, type Mesh } from '../../core/identity/mesh.ts'
import { argocdNamespace, inCluster } from '../argocd.ts'

type Facts = Pick<Archipelago, 'gitops' | 'kubernetes'>

/** Bootstrap applies it by hand; it keeps the other two as the branch has them. */
export function rootApplication(facts: Facts, region: string): object {
  return application(facts, {
    name: 'root',
    path: `manifests/argocd/root/${region}`,
    namespace: argocdNamespace,
  })
}

/** Follows the branch until promote pins it to a commit, in revision.yaml beside it. */
export function natsApplication(facts: Facts, region: string): object {
  return application(facts, {
    name: 'nats',
    path: `manifests/overlays/${region}`,
    namespace: facts.kubernetes.namespace,
  })
}

/** Always as the branch has it: a revocation reaches every region at once, and is never rolled back. */
export function trustApplication(facts: Facts, region: string): object {
  return application(facts, {
    name: 'trust',
    path: `manifests/trust/${region}`,
    namespace: facts.kubernetes.namespace,
  })
}

/** As the branch has it: an authority is asked for by a name that hardly ever changes. */
export function meshApplication(
  facts: Facts,
  { region, mesh }: { readonly region: string; readonly mesh: Mesh },
): object {
  return application(facts, {
    name: `mesh-${mesh}`,
    path: `manifests/meshes/${region}/${mesh}`,
    namespace: meshPlaces[mesh].namespace,
  })
}

interface Place {
  /** Of the Application and of its project. */
  readonly name: string
  readonly path: string
  readonly namespace: string
}

function application({ gitops }: Facts, { name, path, namespace }: Place): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    // No finalizer: who deletes an Application leaves what it deployed running.
    metadata: { name, namespace: argocdNamespace },
    spec: {
      project: name,
      source: { repoURL: gitops.repository, targetRevision: gitops.branch, path },
      destination: { server: inCluster, namespace },
      syncPolicy,
      ignoreDifferences,
    },
  }
}

// The API server gives the template of a volume a status, and does not take it away again.
const ignoreDifferences = [
  {
    group: 'apps',
    kind: 'StatefulSet',
    jqPathExpressions: ['.spec.volumeClaimTemplates[]?.status'],
  },
]

export const syncPolicy = {
  // An overlay that renders nothing is a mistake, and takes nothing away.
  automated: { prune: true, selfHeal: true, allowEmpty: false },
  // A try takes the newest commit, so that the one that mends is not kept waiting by the one that broke.
  retry: { limit: 5, refresh: true, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
  syncOptions: [
    'ServerSideApply=true',
    'ApplyOutOfSyncOnly=true',
    'PruneLast=true',
    'FailOnSharedResource=true',
    'RespectIgnoreDifferences=true',
    'CreateNamespace=false',
  ],
}
