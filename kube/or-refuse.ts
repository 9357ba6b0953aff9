import { ApiException } from '@kubernetes/client-node'
import { Refusal } from '../core/errors.ts'
import { statusMessage } from './status-message.ts'

/** What the cluster answers, or a refusal that names what was wanted and its reason. */
export async function orRefuse<T>(what: string, doing: Promise<T>): Promise<T> {
  try {
    return await doing
  } catch (cause) {
    throw refusalOf(what, cause)
  }
}

/** Without the cause: that of the client repeats headers and bodies. */
function refusalOf(what: string, error: unknown): Refusal {
  if (error instanceof ApiException) {
    const reason = `cannot ${what}: ${reasonOf(error)}`
    if (error.code === 404) return new Refusal('ERR_CLUSTER_MISSING', reason)
    if (error.code === 409) return new Refusal('ERR_CLUSTER_CONFLICT', reason)
    return new Refusal('ERR_CLUSTER_REFUSED', reason)
  }
  const reason = causesOf(error).join(': ') || 'no reason was given'
  if (reason.startsWith('Unrecognized API version and kind'))
    return new Refusal('ERR_CLUSTER_MISSING', `cannot ${what}: the cluster has no such kind`)
  return new Refusal('ERR_CLUSTER_UNREACHABLE', `cannot ${what}: ${reason}`)
}

function reasonOf(error: ApiException<unknown>): string {
  const message = statusMessage(error)
  return message === undefined ? `status ${error.code}` : `${error.code}: ${message}`
}

/** fetch says that it failed, and its cause why: a closed port, a name, another authority. */
function causesOf(error: unknown): string[] {
  if (error instanceof ApiException) return [reasonOf(error)]
  if (!(error instanceof Error)) return []
  const { code } = error as NodeJS.ErrnoException
  return [error.message || (code ?? error.name), ...causesOf(error.cause)]
}
