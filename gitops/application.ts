// What an Application says of itself, and whether that proves that a region runs a commit.
import * as z from 'zod'
import type { Commit } from './revision.ts'

const applicationSchema = z.object({
  spec: z.object({ source: z.object({ targetRevision: z.string().optional() }) }),
  status: z
    .object({
      sync: z.object({ status: z.string(), revision: z.string().optional() }).optional(),
      health: z
        .object({ status: z.string().optional(), message: z.string().optional() })
        .optional(),
      operationState: z
        .object({
          phase: z.string(),
          message: z.string().optional(),
          operation: z
            .object({ sync: z.object({ revision: z.string().optional() }).optional() })
            .optional(),
          syncResult: z.object({ revision: z.string().optional() }).optional(),
        })
        .optional(),
      conditions: z.array(z.object({ type: z.string(), message: z.string() })).optional(),
    })
    .optional(),
})

export type Application = z.output<typeof applicationSchema>

/** Undefined for what is no Application. */
export function parseApplication(value: unknown): Application | undefined {
  return applicationSchema.safeParse(value).data
}

/**
 * `proven`: Synced at the commit, Healthy, and its last operation with all hooks has succeeded.
 * `blocked`: an operation for another commit still runs, and Argo CD begins no other beside it.
 * `unproven`: the commit is in the cluster, and its hooks have not run: Argo CD begins no sync of what
 * differs in nothing.
 * `failed`: Argo CD tries this commit no more.
 */
export interface Verdict {
  readonly state: 'proven' | 'waiting' | 'blocked' | 'unproven' | 'failed'
  readonly why: string
}

export function judgeApplication(application: Application | undefined, commit: Commit): Verdict {
  if (application === undefined) return { state: 'waiting', why: 'no Application nats' }
  const { sync, health, operationState: operation, conditions = [] } = application.status ?? {}
  if (application.spec.source.targetRevision !== commit)
    return { state: 'waiting', why: 'its root has not pulled the commit yet' }
  const syncing = operation?.syncResult?.revision ?? operation?.operation?.sync?.revision
  if (operation?.phase === 'Running' && syncing !== commit)
    return { state: 'blocked', why: `a sync of ${syncing ?? 'another commit'} still runs` }
  const illness = conditions.find(({ type }) => type.endsWith('Error'))
  const why = `${sync?.status ?? 'not compared'}, ${health?.status ?? 'of unknown health'}`
  if (operation !== undefined && hasFailed(operation.phase) && syncing === commit)
    return { state: 'failed', why: operation.message ?? operation.phase }
  if (illness !== undefined) return { state: 'waiting', why: `${why}: ${illness.message}` }
  if (sync?.revision !== commit) return { state: 'waiting', why: 'not compared with the commit' }
  const isWell = sync.status === 'Synced' && health?.status === 'Healthy'
  if (isWell && operation?.phase === 'Succeeded' && syncing === commit)
    return { state: 'proven', why }
  if (isWell && (operation === undefined || hasEnded(operation.phase)))
    return { state: 'unproven', why: `${why}, without a sync of its own` }
  const last =
    operation === undefined ? '' : `, sync ${operation.phase}: ${operation.message ?? ''}`
  return { state: 'waiting', why: `${why}${last}` }
}

const hasFailed = (phase: string) => phase === 'Failed' || phase === 'Error'
const hasEnded = (phase: string) => hasFailed(phase) || phase === 'Succeeded'
