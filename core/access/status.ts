import { Refusal, type RefusalCode } from '../errors.ts'
import { exchangeStatuses } from './exchange-status.ts'

/** What a requestor is told of a refusal: by HTTP as the status, by NATS as the service error code. */
export interface RefusalAnswer {
  readonly status: number
  readonly code: RefusalCode | 'ERR_INTERNAL'
  readonly message: string
}

const statuses: Partial<Record<RefusalCode, number>> = {
  ERR_REQUEST_OVERSIZE: 413,
  ERR_PATH_UNKNOWN: 404,
  ERR_METHOD_ILLEGAL: 405,
  ERR_ROLE_UNKNOWN: 404,
  ERR_ROLE_DOOR: 403,
  ERR_PROOF_WRONG: 401,
  ERR_PROOF_STALE: 401,
  ERR_PROOF_AUDIENCE: 401,
  ERR_PROOF_OTHER_KEY: 401,
  ERR_INVITE_MISSING: 401,
  ERR_INVITE_EXPIRED: 401,
  ERR_INVITE_PROOF_WRONG: 401,
  ERR_INVITE_ILLEGAL: 403,
  ERR_INVITE_DENIED: 403,
  ERR_INVITE_OTHER: 403,
  ERR_NKEY_DENIED: 403,
  ERR_IDENTITY_WITHDRAWN: 403,
  ERR_NAME_DENIED: 403,
  ERR_CALLER_CERTIFICATE: 401,
  ERR_CALLER_UNKNOWN: 400,
  ERR_RENEWAL_ILLEGAL: 403,
  ERR_RENEWAL_EXPIRED: 401,
  ERR_BUSY: 429,
  ERR_REQUEST_NOT_JSON: 400,
  ERR_REQUEST_ILLEGAL: 400,
  ERR_NAME_MISSING: 400,
  ERR_NAME_TOO_LONG: 400,
  ERR_NAME_ILLEGAL: 400,
  ERR_CURVE_MISSING: 400,
  ERR_CURVE_ILLEGAL: 400,
  ERR_PROOF_ILLEGAL: 400,
  ...exchangeStatuses,
}

/** The one place that maps an error to an answer: what is not a requestor's fault tells him nothing. */
export function answerRefusal(error: unknown): RefusalAnswer {
  const status = error instanceof Refusal ? statuses[error.code] : undefined
  if (!(error instanceof Refusal) || status === undefined)
    return { status: 500, code: 'ERR_INTERNAL', message: 'internal error' }
  return { status, code: error.code, message: error.message }
}
