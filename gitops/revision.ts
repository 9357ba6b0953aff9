// Where a region's servers stand: the one file of its root that promote writes, a patch of its
// Application.
import { parse } from 'yaml'
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'
import { argocdNamespace } from './argocd.ts'

export type Commit = string & { readonly brand: 'Commit' }

/** Whole, as Argo CD pins it: a short one may come to mean another. */
export function parseCommit(text: string): Commit {
  if (!/^[0-9a-f]{40}$/.test(text))
    throw new Refusal('ERR_REVISION_ILLEGAL', `not the 40 digits of a commit: ${quote(text)}`)
  return text as Commit
}

export const shortCommit = (commit: Commit): string => commit.slice(0, 10)

export const revisionFile = (region: string): string =>
  `manifests/argocd/root/${region}/revision.yaml`

/** Undefined where the region follows the branch. */
export function parseRevision(text: string): Commit | undefined {
  const patch = parse(text) as { spec?: { source?: { targetRevision?: unknown } } } | null
  const revision = patch?.spec?.source?.targetRevision
  if (revision === undefined) return undefined
  return parseCommit(typeof revision === 'string' ? revision : '')
}

export function formatRevision(commit: Commit): string {
  return `# Written by scripts/promote.ts. Without targetRevision the region follows the branch.
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: nats
  namespace: ${argocdNamespace}
spec:
  source:
    targetRevision: '${commit}'
`
}
