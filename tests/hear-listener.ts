// What a listener of a server says to whoever comes: its first line, if it lets him in.
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import type { Endpoint } from '../core/network/endpoint.ts'

export interface Shown {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/**
 * Empty for who is not let in; `ca` are authorities of the listener, which need not be roots. A listener
 * that waits to be spoken to is asked by HTTP.
 */
export function hearListener(
  { host, port }: Pick<Endpoint, 'host' | 'port'>,
  ca: string | Buffer,
  { asks = false, ...shown }: Partial<Shown> & { readonly asks?: boolean } = {},
): Promise<string> {
  const socket = connect({ host, port, ca, allowPartialTrustChain: true, ...shown })
  if (asks) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  return firstLine(socket)
}

// For a hang: a listener admits, or it hangs up.
const silenceMs = 20_000

export function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const end = (said: string) => {
      socket.destroy()
      resolve(said)
    }
    socket.setTimeout(silenceMs, () => end('silence'))
    socket.once('data', (chunk) => end(String(chunk)))
    socket.on('error', () => end(''))
    socket.once('close', () => end(''))
  })
}
