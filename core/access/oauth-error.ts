// A refusal in the words of OAuth (RFC 6749 section 5.2, RFC 8693 section 2.2.2); our own code stands at
// the head of error_description, for people and for our own client.
import type { RefusalAnswer } from './status.ts'

export interface OauthError {
  readonly status: number
  readonly error: OauthErrorCode
  readonly description: string
}
type OauthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'temporarily_unavailable'
  | 'server_error'

const errors: Partial<Record<RefusalAnswer['code'], readonly [OauthErrorCode, status: number]>> = {
  ERR_CLIENT_AUTHENTICATION: ['invalid_client', 401],
  ERR_CALLER_CERTIFICATE: ['invalid_client', 401],
  ERR_GRANT_TYPE: ['unsupported_grant_type', 400],
  ERR_SCOPE_OTHER: ['invalid_scope', 400],
  ERR_TARGET_UNKNOWN: ['invalid_target', 400],
  ERR_BUSY: ['temporarily_unavailable', 429],
  ERR_PATH_UNKNOWN: ['invalid_request', 404],
  ERR_METHOD_ILLEGAL: ['invalid_request', 405],
  ERR_INTERNAL: ['server_error', 500],
}

/** Whatever is wrong with a token, or not to be had with it, is invalid_request (RFC 8693 section 2.2.2). */
export function oauthError({ code, message }: RefusalAnswer): OauthError {
  const [error, status] = errors[code] ?? ['invalid_request', 400]
  return { status, error, description: printable(`${code}: ${message}`) }
}

/** The characters that error_description may have: no quotation mark, no backslash, nothing beyond ASCII. */
function printable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?')
}
