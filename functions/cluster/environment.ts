// What the commands that run in a region's cluster are told.
import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { readOrRefuse } from '../../store/files.ts'

export interface ClusterEnvironment {
  readonly region: string
  readonly namespace: string
  /** As it was rendered for this cluster: JSON. */
  readonly archipelagoFile: string
}

/** Refuses an environment in which something is missing, naming the variable. */
export function parseClusterEnvironment(env: NodeJS.ProcessEnv): ClusterEnvironment {
  return {
    region: need(env, 'ARCHIPELAGO_REGION'),
    namespace: need(env, 'ARCHIPELAGO_NAMESPACE'),
    archipelagoFile: need(env, 'ARCHIPELAGO_FILE'),
  }
}

export function readOwnArchipelago({ archipelagoFile: file }: ClusterEnvironment): Archipelago {
  // Rendered from what was parsed.
  return JSON.parse(readOrRefuse(file, 'archipelago')) as Archipelago
}

function need(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (!value) throw new Refusal('ERR_ENVIRONMENT', `${name} is not set`)
  return value
}
