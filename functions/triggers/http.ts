// What both HTTP doors do with a request: one path, one body of bounded size, one table of refusals.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { exchangeBytesMax } from '../../core/access/exchange-request.ts'
import { requestBytesMax } from '../../core/access/request.ts'
import { Refusal } from '../../core/errors.ts'
import { doorPath, type FunctionDoor } from '../../core/network/access-subject.ts'
import { quote } from '../../core/quote.ts'
import type { Audit, Caller } from '../provisioning/audit.ts'
import { refuseUnread, type ProvisioningAnswer } from '../provision-credentials.ts'
import type { Work } from '../provisioning/work.ts'
import { sourceOf } from './source.ts'
import { requireTokenRequest } from './token-http.ts'

export interface HttpDoor {
  readonly door: FunctionDoor
  readonly work: Work
  readonly audit: Audit
  readonly trigger: Caller['trigger']
  /** Of the connection, where the caller has shown one. */
  readonly identity?: Caller['identity']
  /** Why it does not serve, undefined while it does. */
  readonly problem: () => string | undefined
}

const bodySecondsMax = 5

/** Answers whatever comes; never rejects. */
export async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  http: HttpDoor,
): Promise<void> {
  try {
    if (request.url === '/healthz') return answerHealth(request, response, http)
    if (request.url !== doorPath(http.door))
      throw new Refusal('ERR_PATH_UNKNOWN', `unknown path: ${quote(request.url ?? '')}`)
    const caller = callerOf(request, http)
    const kind = http.door === 'identity' ? 'exchange' : 'access'
    const bytes = await readRequest(request, response, http.door).catch((error: unknown) => {
      // Whoever left was refused nothing.
      if (error instanceof Refusal) http.audit.unread(caller, { error, kind })
      throw error
    })
    send(response, await http.work.answer({ kind, bytes, caller }))
  } catch (error) {
    refuseHttp(response, error, http.door)
  }
}

function callerOf({ socket }: IncomingMessage, { trigger, identity }: HttpDoor): Caller {
  return { trigger, source: sourceOf(socket.remoteAddress), ...(identity && { identity }) }
}

async function readRequest(
  request: IncomingMessage,
  response: ServerResponse,
  door: FunctionDoor,
): Promise<Uint8Array> {
  requireMethod(request, response, ['POST'])
  if (door !== 'identity') return readBody(request, requestBytesMax)
  requireTokenRequest(request, response)
  return readBody(request, exchangeBytesMax)
}

/** For a request that was not read to its end: what is left would be taken for the next one. */
export function refuseHttp(response: ServerResponse, error: unknown, door: FunctionDoor): void {
  response.setHeader('connection', 'close')
  send(response, refuseUnread(error, door))
}

function requireMethod(
  { method = '' }: IncomingMessage,
  response: ServerResponse,
  allowed: readonly string[],
): void {
  if (allowed.includes(method)) return
  response.setHeader('allow', allowed.join(', '))
  throw new Refusal('ERR_METHOD_ILLEGAL', `method is not ${allowed.join(' or ')}: ${method}`)
}

function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  { door, problem }: HttpDoor,
): void {
  requireMethod(request, response, ['GET', 'HEAD'])
  const why = problem()
  write(response, why === undefined ? 200 : 503, JSON.stringify({ door, problem: why }))
}

function send(response: ServerResponse, answer: ProvisioningAnswer): void {
  write(response, answer.isGranted ? 200 : answer.refusal.status, answer.body)
}

function write(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    // For caches of HTTP/1.0: RFC 6749 section 5.1 asks for it.
    pragma: 'no-cache',
  })
  response.end(body)
}

/** Stops reading at the first byte too many, and when the body takes too long. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  const tooLate = setTimeout(() => request.destroy(), bodySecondsMax * 1_000)
  try {
    for await (const chunk of request.iterator({
      destroyOnReturn: false,
    }) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > bytesMax)
        throw new Refusal('ERR_REQUEST_OVERSIZE', `request: over ${bytesMax} bytes`)
      chunks.push(chunk)
    }
  } finally {
    clearTimeout(tooLate)
  }
  return Buffer.concat(chunks)
}
