// What a listener of a server says to whoever comes: its first line, if it lets him in.
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import type { Endpoint } from '../core/network/endpoint.ts'

export interface Shown {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** Empty for who is not let in; `ca` are authorities of the listener, which need not be roots. */
export function hearListener(
  { host, port }: Pick<Endpoint, 'host' | 'port'>,
  ca: string | Buffer,
  shown?: Shown,
): Promise<string> {
  return firstLine(connect({ host, port, ca, allowPartialTrustChain: true, ...shown }))
}

export function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const end = (said: string) => {
      socket.destroy()
      resolve(said)
    }
    socket.setTimeout(2000, () => end('silence'))
    socket.once('data', (chunk) => end(String(chunk)))
    socket.on('error', () => end(''))
    socket.once('close', () => end(''))
  })
}
