import { Refusal } from '../../core/errors.ts'

/** Refuses an environment in which it is missing or empty, naming the variable. */
export function need(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (!value) throw new Refusal('ERR_ENVIRONMENT', `${name} is not set`)
  return value
}
