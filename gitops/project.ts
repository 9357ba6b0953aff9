// Whether a project admits an object, as Argo CD 3.5 judges it (AppProject.IsResourcePermitted).
import { inCluster } from './argocd.ts'
import { isNamespaced } from './scope.ts'
import type { Manifest } from './manifest.ts'

export interface AppProject extends Manifest {
  readonly spec: {
    readonly sourceRepos?: readonly string[]
    readonly destinations?: readonly { readonly server?: string; readonly namespace?: string }[]
    readonly clusterResourceWhitelist?: readonly KindRule[]
    readonly namespaceResourceWhitelist?: readonly KindRule[]
    readonly namespaceResourceBlacklist?: readonly KindRule[]
  }
}

export interface KindRule {
  readonly group: string
  readonly kind: string
  /** Of a cluster-wide object; any where none is said. */
  readonly name?: string
}

/** Our projects hold no patterns but `*`; any other is taken for a plain name, and so admits less. */
export function admits({ spec }: AppProject, object: Manifest): boolean {
  if (!isNamespaced(object)) return (spec.clusterResourceWhitelist ?? []).some(names(object))
  // Without a list Argo CD takes every kind for admitted.
  const isListed = spec.namespaceResourceWhitelist?.some(names(object)) ?? true
  const isBarred = spec.namespaceResourceBlacklist?.some(names(object)) ?? false
  return isListed && !isBarred && reaches(spec, object.metadata.namespace ?? '')
}

/** Whether a rule is about an object. */
const names =
  ({ apiVersion, kind, metadata }: Manifest) =>
  (rule: KindRule): boolean =>
    covers(rule.group, groupOf(apiVersion)) &&
    covers(rule.kind, kind) &&
    (rule.name === undefined || covers(rule.name, metadata.name))

const reaches = ({ destinations = [] }: AppProject['spec'], namespace: string) =>
  destinations.some(
    (one) => covers(one.server ?? '', inCluster) && covers(one.namespace ?? '', namespace),
  )

const covers = (rule: string, value: string) => rule === '*' || rule === value

const groupOf = (apiVersion: string) =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
