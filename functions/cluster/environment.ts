// What the commands that run in a region's cluster are told.
import type { Archipelago } from '../../core/archipelago.ts'
import { readOrRefuse } from '../../store/files.ts'
import { need } from '../provisioning/needed-variable.ts'

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
