// How a region's Argo CD is asked: by the operator's own kubeconfig, or by a file that somebody else
// keeps up to date where no cluster is in reach.
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { parseJson } from '../../core/parse-json.ts'
import { parseApplication, type Application } from '../../gitops/application.ts'
import { argocdNamespace } from '../../gitops/argocd.ts'
import { syncPolicy } from '../../gitops/render/applications.ts'
import type { Commit } from '../../gitops/revision.ts'
import { openCluster, type Cluster, type ClusterObject } from '../../kube/cluster.ts'

export interface Watched {
  /** What the region's Application says now; undefined where it cannot be had. */
  read(region: string): Promise<Application | undefined>
  /** Has it look at the repository now, as a webhook does, not at its next turn. */
  hurry(region: string): Promise<void>
  /** Ends the operation that runs. */
  endSync(region: string): Promise<void>
  /** Begins one of a commit that is in the cluster already, for its hooks. */
  beginSync(region: string, commit: Commit): Promise<void>
}

const kind = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' }

/** A context of the kubeconfig for each region, named as the region where nothing else is said. */
export function watchClusters(contexts: ReadonlyMap<string, string>): Watched {
  const clusters = new Map<string, Cluster>()
  const open = (region: string) => {
    const context = contexts.get(region) ?? region
    const cluster = clusters.get(region) ?? openCluster(argocdNamespace, { context })
    clusters.set(region, cluster)
    return cluster
  }
  return {
    read: async (region) => parseApplication(await open(region).read(kind, 'nats')),
    hurry: async (region) => {
      await edit(open(region), 'root', (object) => ({
        ...object,
        metadata: {
          ...object.metadata,
          annotations: { ...object.metadata.annotations, ...refresh },
        },
      }))
    },
    // As `argocd app terminate-op` does.
    endSync: async (region) => {
      await edit(open(region), 'nats', (object) => ({ ...object, status: ending(object) }))
    },
    // As `argocd app sync` does.
    beginSync: async (region, revision) => {
      const operation = { initiatedBy: { username: 'promote' }, sync: { revision, ...syncing } }
      await edit(open(region), 'nats', (object) => ({ ...object, operation }))
    },
  }
}

const syncing = { prune: true, syncOptions: syncPolicy.syncOptions }
const refresh = { 'argocd.argoproj.io/refresh': 'normal' }

function ending(object: ClusterObject): object {
  const { status } = object as { status?: { operationState?: object } }
  return { ...status, operationState: { ...status?.operationState, phase: 'Terminating' } }
}

async function edit(
  cluster: Cluster,
  name: string,
  change: (object: ClusterObject) => ClusterObject,
): Promise<void> {
  const object = await cluster.read<ClusterObject>(kind, name)
  if (object !== undefined) await cluster.replace(change(object))
}

const statusShape = z.record(z.string(), z.unknown())
const statusFile = { what: 'status file', code: 'ERR_OPTION_ILLEGAL' } as const

/** `{ "<region>": <Application as kubectl prints it>, … }`, read anew each time. */
export function watchFile(file: string): Watched {
  const nothing = async () => {}
  return {
    read: async (region) => {
      const status = parseJson(await readFile(file, 'utf8'), statusShape, statusFile)
      return parseApplication(status[region])
    },
    hurry: nothing,
    endSync: nothing,
    beginSync: nothing,
  }
}
