import { isAbsolute } from 'node:path'
import { Refusal } from '../../core/errors.ts'
import { need } from '../provisioning/needed-variable.ts'
import type { AccountFiles } from './take-accounts.ts'

export interface WatchEnvironment {
  readonly region: string
  /** What adoption brings: the trust, and the authorities. */
  readonly adoptionFiles: readonly string[]
  /** What cert-manager brings. */
  readonly certificateFiles: readonly string[]
  /** What changes at any time. */
  readonly otherFiles: readonly string[]
  /** What a server includes as its accounts; none beside a leafnode server. */
  readonly accountFiles?: AccountFiles
  /** Where nats-server writes its process id; without it nobody is told of changes. */
  readonly processFile?: string
}

/** Refuses an environment in which something is missing, naming the variable. */
export function parseWatchEnvironment(env: NodeJS.ProcessEnv): WatchEnvironment {
  const processFile = env['PROCESS_FILE']
  const accounts = parseAccountFiles(env)
  return {
    region: need(env, 'ARCHIPELAGO_REGION'),
    adoptionFiles: parseFiles(env, 'ADOPTION_FILES'),
    certificateFiles: parseFiles(env, 'CERTIFICATE_FILES'),
    otherFiles: parseFiles(env, 'OTHER_FILES'),
    ...(accounts && { accountFiles: accounts }),
    ...(processFile && { processFile }),
  }
}

/** Operator, mounted accounts, kept accounts. */
function parseAccountFiles(env: NodeJS.ProcessEnv): AccountFiles | undefined {
  const files = parseFiles(env, 'ACCOUNT_FILES')
  const [operator, mounted, kept, ...more] = files
  if (files.length === 0) return undefined
  if (operator !== undefined && mounted !== undefined && kept !== undefined && more.length === 0)
    return { operator, mounted, kept }
  const what = 'ACCOUNT_FILES has to name operator, mounted and kept accounts'
  throw new Refusal('ERR_ENVIRONMENT', `${what}: '${files.join(' ')}'`)
}

/** Absolute paths with white space between them. */
function parseFiles(env: NodeJS.ProcessEnv, name: string): string[] {
  const files = (env[name] ?? '').split(/\s+/).filter((file) => file !== '')
  const relative = files.find((file) => !isAbsolute(file))
  if (relative === undefined) return files
  throw new Refusal('ERR_ENVIRONMENT', `${name} has to name absolute paths: '${relative}'`)
}
