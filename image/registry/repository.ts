// One repository of a registry, spoken to as whoever it asks for.
import { Refusal } from '../../core/errors.ts'
import { quote, showInvisible } from '../../core/quote.ts'
import { answerChallenge } from './access.ts'
import { isLoopback, repositoryAt, type RegistryAddress } from './address.ts'
import type { Credentials } from './credentials.ts'

const timeoutMs = 600_000
const reasonCharactersMax = 300

export interface Repository {
  /** 'registry.example/team/functions', as a pod names it. */
  readonly name: string
  url(place: string): URL
  /** Whatever the answer is, but 401. */
  ask(url: URL, request: RequestInit): Promise<Response>
  /** Refuses what is not a success, in the registry's own words. */
  require(url: URL, request: RequestInit): Promise<Response>
}

export function openRepository(
  address: RegistryAddress,
  image: string,
  credentials: Credentials | undefined,
): Repository {
  const { host, origin } = address
  const name = repositoryAt(address, image)
  const path = name.slice(host.length + 1)
  const scope = `repository:${path}:pull,push`
  let authorization: string | undefined

  async function ask(url: URL, request: RequestInit): Promise<Response> {
    const answer = await send(url, request)
    const challenge = answer.headers.get('www-authenticate')
    // Elsewhere, where it sends uploads to, the registry's own name is of no use.
    if (answer.status !== 401 || challenge === null || url.origin !== origin) return answer
    await answer.body?.cancel()
    authorization = await answerChallenge({ challenge, origin, scope, credentials })
    return send(url, request)
  }

  function send(url: URL, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers)
    if (authorization !== undefined && url.origin === origin)
      headers.set('authorization', authorization)
    // fetch itself lets go of the name where it is led to another host; what is sent is not led on.
    const redirect = request.method === 'HEAD' ? 'follow' : 'error'
    const signal = AbortSignal.timeout(timeoutMs)
    return fetch(url, { ...request, headers, redirect, signal }).catch((cause: Error) => {
      const reason = cause.cause instanceof Error ? cause.cause.message : cause.message
      const what = `no answer from ${quote(url.host)}: ${showInvisible(reason)}`
      throw new Refusal('ERR_REGISTRY_REFUSED', what, { cause })
    })
  }

  async function require(url: URL, request: RequestInit): Promise<Response> {
    requireSafe(url, host)
    const answer = await ask(url, request)
    if (answer.ok) return answer
    const said = showInvisible((await answer.text()).slice(0, reasonCharactersMax).trim())
    const what = `registry refuses ${request.method} ${url.pathname}: ${answer.status} ${said}`
    const code = answer.status === 401 ? 'ERR_REGISTRY_LOGIN' : 'ERR_REGISTRY_REFUSED'
    throw new Refusal(code, what.trim())
  }

  const url = (place: string): URL => new URL(`/v2/${path}/${place}`, origin)
  return { name, url, ask, require }
}

/** A registry may send an upload to another host, but not out of TLS. */
function requireSafe(url: URL, host: string): void {
  const isHere = url.protocol === 'http:' && [url.host, host].every(isLoopback)
  if (url.protocol === 'https:' || isHere) return
  const what = `registry sends what is uploaded to where there is no TLS: ${quote(url.origin)}`
  throw new Refusal('ERR_REGISTRY_REFUSED', what)
}
