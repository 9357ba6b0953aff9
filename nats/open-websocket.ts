// A WebSocket as a stream. What the client's own transport for WebSockets cannot do: show a certificate,
// and say which peer is right. Node's WebSocket cannot either.
import { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { WebSocket } from 'ws'
import { formatHostPort } from '../core/network/endpoint.ts'
import type { Dialled } from './transport.ts'
import { watchHandshake, type Explain } from './wrong-clock.ts'

/** `tls`: as for tls.connect. Refuses, with what stood in the way, a peer that is not open in time. */
export function openWebSocket(
  { hostname, port, tlsName }: Dialled,
  { tls, timeoutMs }: { readonly tls: ConnectionOptions; readonly timeoutMs: number },
): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
  let explain: Explain = (error) => error
  const socket = new WebSocket(`wss://${formatHostPort(hostname, port)}`, {
    ...tls,
    ...(tlsName !== '' && { servername: tlsName }),
    perMessageDeflate: false,
    handshakeTimeout: timeoutMs,
    finishRequest: (request) => {
      request.once('socket', (secure) => (explain = watchHandshake(secure as TLSSocket, tls.cert)))
      request.end()
    },
  })
  // In the same turn: the server speaks first.
  socket.once('open', () => resolve(streamOf(socket)))
  socket.once('error', (error) => reject(explain(error)))
  return promise
}

function streamOf(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _, done) => (chunk.length === 0 ? done() : socket.send(chunk, done)),
    destroy: (error, done) => {
      socket.terminate()
      done(error)
    },
  })
  socket.on('message', (bytes: Buffer) => {
    if (!stream.push(bytes)) socket.pause()
  })
  socket.on('close', () => stream.push(null))
  socket.on('error', (error) => stream.destroy(error))
  return stream
}
