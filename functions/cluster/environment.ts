// What the commands that run in a region's cluster are told.
import { parseArchipelago, type Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { readOrRefuse } from '../../store/files.ts'

export interface ClusterEnvironment {
  readonly region: string
  readonly namespace: string
  /** As it was applied to this cluster; without the keys of token issuers, which nobody here needs. */
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
  return parseArchipelago(readOrRefuse(file, 'archipelago'), file)
}

function need(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (!value) throw new Refusal('ERR_ENVIRONMENT', `${name} is not set`)
  return value
}
