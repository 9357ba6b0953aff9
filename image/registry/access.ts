// Being let in by a registry: it says in its first answer what it asks for, a password (RFC 7617) or a
// token from a place that it names (the distribution project's "Token authentication").
import { z } from 'zod'
import { Refusal } from '../../core/errors.ts'
import { parseJson } from '../../core/parse-json.ts'
import { quote } from '../../core/quote.ts'
import { isLoopback } from './address.ts'
import type { Credentials } from './credentials.ts'

const token = z.object({ token: z.string().optional(), access_token: z.string().optional() })
const answerCharactersMax = 64 * 1024
const timeoutMs = 30_000

export interface Asked {
  /** The WWW-Authenticate header. */
  readonly challenge: string
  readonly origin: string
  /** 'repository:team/functions:pull,push' */
  readonly scope: string
  readonly credentials: Credentials | undefined
}

/** The Authorization header that the registry asks for. */
export async function answerChallenge(asked: Asked): Promise<string> {
  const { challenge, credentials } = asked
  const [, scheme = '', rest = ''] = /^(\w+)\s+(.*)$/s.exec(challenge) ?? []
  if (scheme.toLowerCase() === 'bearer') return `Bearer ${await getToken(rest, asked)}`
  if (scheme.toLowerCase() === 'basic' && credentials !== undefined && 'password' in credentials)
    return basic(credentials)
  const what = credentials === undefined ? 'asks who you are' : `asks for ${quote(scheme)}`
  throw new Refusal('ERR_REGISTRY_LOGIN', `registry ${what}: ${quote(asked.origin)}`)
}

async function getToken(parameters: string, asked: Asked): Promise<string> {
  const told = Object.fromEntries(
    [...parameters.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  )
  const realm = parseRealm(told['realm'] ?? '', asked.origin)
  const answer = await fetch(requestFor(realm, told['service'], asked))
  const text = (await answer.text()).slice(0, answerCharactersMax)
  if (!answer.ok) {
    const what = `no token for ${asked.scope}: ${answer.status} from ${quote(realm.host)}`
    throw new Refusal('ERR_REGISTRY_LOGIN', what)
  }
  const what = `token of ${quote(realm.host)}`
  const found = parseJson(text, token, { what, code: 'ERR_REGISTRY_LOGIN' })
  const got = found.token ?? found.access_token
  if (got === undefined) throw new Refusal('ERR_REGISTRY_LOGIN', `illegal ${what}: there is none`)
  return got
}

/** The password goes there: never without TLS, but from a registry of this machine to this machine. */
function parseRealm(text: string, origin: string): URL {
  const realm = URL.parse(text)
  const isHere = realm?.protocol === 'http:' && [realm.host, new URL(origin).host].every(isLoopback)
  if (realm !== null && (realm.protocol === 'https:' || isHere)) return realm
  throw new Refusal('ERR_REGISTRY_LOGIN', `registry sends the password elsewhere: ${quote(text)}`)
}

function requestFor(realm: URL, service = '', { scope, credentials }: Asked): Request {
  const limits = { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) } as const
  if (credentials !== undefined && 'refreshToken' in credentials) {
    const form = { grant_type: 'refresh_token', client_id: 'archipelago', service, scope }
    const body = new URLSearchParams({ ...form, refresh_token: credentials.refreshToken })
    return new Request(realm, { method: 'POST', body, ...limits })
  }
  const url = new URL(realm)
  if (service !== '') url.searchParams.set('service', service)
  url.searchParams.set('scope', scope)
  const headers = credentials && { authorization: basic(credentials) }
  return new Request(url, { ...(headers && { headers }), ...limits })
}

function basic({ username, password }: Extract<Credentials, { username: string }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
