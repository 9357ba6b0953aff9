// The HTTPS trigger: the function's own door, for whoever cannot or will not ask over NATS. What is
// slow, large or many from one address is cut off here, before any work.
import type { Server, ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { KeyAndCertificate } from '../../core/identity/successor.ts'
import { answerHttp, type HttpDoor } from './http.ts'
import { sourceOf } from './source.ts'

export interface HttpsListener {
  readonly host: string
  readonly port: number
}
export interface HttpsTrigger extends AsyncDisposable {
  readonly port: number
  /** For connections from now on; those that are open stay as they are. */
  show(shown: KeyAndCertificate): void
}

const connectionsMax = 512
const connectionsPerSourceMax = 64
const closeMs = 1_000

/** Listens until disposed; requests in flight are answered first, within a second. */
export async function serveHttps(
  { host, port }: HttpsListener,
  shown: KeyAndCertificate,
  http: Omit<HttpDoor, 'trigger'>,
): Promise<HttpsTrigger> {
  // Not at the top of the file: it takes time, and the connection to NATS comes first.
  const { createServer } = await import('node:https')
  const server = createServer({ ...limits, ...contextOf(shown) }, (request, response) => {
    void answerHttp(request, response, { ...http, trigger: 'https' })
  })
  server.maxHeadersCount = 32
  server.maxRequestsPerSocket = 1_000
  server.maxConnections = connectionsMax
  limitSources(server)
  await listen(server, { host, port })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    show: (next) => server.setSecureContext(contextOf(next)),
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

const contextOf = ({ certificate: cert, key }: KeyAndCertificate) =>
  ({ cert, key, minVersion: 'TLSv1.2' }) as const

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
