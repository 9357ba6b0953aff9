// What OAuth asks of an HTTP request beyond its form (RFC 6749 sections 3.2 and 5).
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../../core/errors.ts'
import { quote } from '../../core/quote.ts'

const formType = 'application/x-www-form-urlencoded'

/** Refuses another content type, and a client that would prove who it is: there is nothing to check it by. */
export function requireTokenRequest({ headers }: IncomingMessage, response: ServerResponse): void {
  const { authorization, 'content-type': type = '' } = headers
  if (authorization !== undefined) {
    const [scheme = ''] = /^[\w-]{1,32}/.exec(authorization) ?? []
    response.setHeader('www-authenticate', scheme || 'Basic')
    throw new Refusal('ERR_CLIENT_AUTHENTICATION', 'clients are not authenticated here')
  }
  const [media = ''] = type.split(';', 1)
  if (media.trim().toLowerCase() !== formType)
    throw new Refusal('ERR_CONTENT_TYPE', `content type is not ${formType}: ${quote(type)}`)
}
