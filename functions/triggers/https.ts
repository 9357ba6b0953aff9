// The HTTPS trigger: the function's own door. The body is capped while it is read, and malformed JSON
// is ours to answer (functions-framework allows 1 GB and answers for itself: docs/adr).
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { requestBytesMax } from '../../core/access/request.ts'
import { answerRefusal } from '../../core/access/status.ts'
import { Refusal } from '../../core/errors.ts'
import {
  provisionCredential,
  type Provisioning,
  type ProvisioningAnswer,
} from '../provision-credentials.ts'

export interface HttpsDoor {
  readonly host: string
  readonly port: number
  readonly certificate: string
  readonly key: string
}

/** Listens until disposed; requests in flight are answered first. */
export async function serveHttps(
  { host, port, certificate, key }: HttpsDoor,
  provisioning: Provisioning,
): Promise<AsyncDisposable & { readonly port: number }> {
  const options = {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    requestTimeout: 5_000,
    headersTimeout: 3_000,
  } as const
  const server = createServer(options, (request, response) => {
    void handle(request, response, provisioning)
  })
  server.maxHeadersCount = 32
  server.maxConnections = 512
  await listen(server, { host, port })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    [Symbol.asyncDispose]: () => close(server),
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  provisioning: Provisioning,
): Promise<void> {
  if (request.method === 'GET' && request.url === '/healthz')
    return send(response, 200, { status: 'ok' })
  if (request.method !== 'POST' || request.url !== '/')
    return send(response, request.method === 'POST' ? 404 : 405, {
      code: 'ERR_REQUEST_ILLEGAL',
      message: 'POST / is all there is here',
    })
  try {
    const bytes = await readBody(request)
    const source = request.socket.remoteAddress ?? 'unknown'
    const caller = { trigger: 'https', source } as const
    sendAnswer(response, provisionCredential({ kind: 'access', bytes, caller }, provisioning))
  } catch (error) {
    const refusal = answerRefusal(error)
    send(response, refusal.status, refusal)
  }
}

function sendAnswer(response: ServerResponse, answer: ProvisioningAnswer): void {
  if (answer.isGranted) return send(response, 200, answer.body)
  const { refusal, nonce } = answer
  send(response, refusal.status, { ...refusal, nonce })
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}

/** Stops reading at the first byte too many. */
async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > requestBytesMax)
      throw new Refusal('ERR_REQUEST_OVERSIZE', `request: over ${requestBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(at.port, at.host, resolve)
  return promise
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  return promise
}
