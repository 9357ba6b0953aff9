// What both HTTPS listeners of a function have in common: what is slow, large or many from one address is
// cut off here, before any work.
import type { RequestListener } from 'node:http'
import type { Server, ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { sourceOf } from './source.ts'

export interface ListenAt {
  readonly host: string
  readonly port: number
}
export interface HttpsListener extends AsyncDisposable {
  readonly server: Server
  readonly port: number
}

const connectionsMax = 512
const connectionsPerSourceMax = 64
const closeMs = 1_000

/** Listens until disposed; requests in flight are answered first, within a second. */
export async function openListener(
  { host, port }: ListenAt,
  options: ServerOptions,
  answer: RequestListener,
): Promise<HttpsListener> {
  // Not at the top of the file: it takes time, and the connection to NATS comes first.
  const { createServer } = await import('node:https')
  const server = createServer({ ...limits, ...options }, answer)
  server.maxHeadersCount = 32
  server.maxRequestsPerSocket = 1_000
  server.maxConnections = connectionsMax
  limitSources(server)
  await listen(server, { host, port })
  const address = server.address()
  return {
    server,
    port: typeof address === 'object' && address !== null ? address.port : port,
    [Symbol.asyncDispose]: () => close(server),
  }
}

const limits: ServerOptions = {
  handshakeTimeout: 3_000,
  headersTimeout: 3_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  // Node looks for requests over these limits only so often: 30 s, if it is not told.
  connectionsCheckingInterval: 500,
  maxHeaderSize: 8_192,
}

/** So that one address cannot take every connection that the door has. */
function limitSources(server: Server): void {
  const counts = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const source = sourceOf(socket.remoteAddress)
    const count = (counts.get(source) ?? 0) + 1
    if (count > connectionsPerSourceMax) return void socket.destroy()
    counts.set(source, count)
    socket.once('close', () => {
      const left = (counts.get(source) ?? 1) - 1
      if (left > 0) counts.set(source, left)
      else counts.delete(source)
    })
  })
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(at.port, at.host, resolve)
  return promise
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const tooLate = setTimeout(() => server.closeAllConnections(), closeMs)
  server.close(() => {
    clearTimeout(tooLate)
    resolve()
  })
  server.closeIdleConnections()
  return promise
}
