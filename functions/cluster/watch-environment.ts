import { isAbsolute } from 'node:path'
import { Refusal } from '../../core/errors.ts'
import { need } from '../provisioning/needed-variable.ts'

export interface WatchEnvironment {
  readonly region: string
  /** What adoption brings: the trust, and the authorities. */
  readonly adoptionFiles: readonly string[]
  /** What cert-manager brings. */
  readonly certificateFiles: readonly string[]
  /** What changes at any time. */
  readonly otherFiles: readonly string[]
  /** Where nats-server writes its process id; without it nobody is told of changes. */
  readonly processFile?: string
}

/** Refuses an environment in which something is missing, naming the variable. */
export function parseWatchEnvironment(env: NodeJS.ProcessEnv): WatchEnvironment {
  const processFile = env['PROCESS_FILE']
  return {
    region: need(env, 'ARCHIPELAGO_REGION'),
    adoptionFiles: parseFiles(env, 'ADOPTION_FILES'),
    certificateFiles: parseFiles(env, 'CERTIFICATE_FILES'),
    otherFiles: parseFiles(env, 'OTHER_FILES'),
    ...(processFile && { processFile }),
  }
}

/** Absolute paths with white space between them. */
function parseFiles(env: NodeJS.ProcessEnv, name: string): string[] {
  const files = (env[name] ?? '').split(/\s+/).filter((file) => file !== '')
  const relative = files.find((file) => !isAbsolute(file))
  if (relative === undefined) return files
  throw new Refusal('ERR_ENVIRONMENT', `${name} has to name absolute paths: '${relative}'`)
}
