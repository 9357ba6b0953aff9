import type { Server, TLSSocket } from 'node:tls'
import { shownChain } from '../../nats/shown-chain.ts'
import { explainTimes } from '../../nats/wrong-clock.ts'

const pauseMs = 10_000

/** A line for the first refused handshake, and every 10 s one for those since, however many they are. */
export function tellRefused(
  server: Server,
  { report, nowMs }: { readonly report: (line: string) => void; readonly nowMs: () => number },
): void {
  const shown = new WeakMap<TLSSocket, readonly Buffer[]>()
  let since = 0
  let toldMs = -Infinity
  const isQuiet = (): boolean => performance.now() - toldMs < pauseMs
  // The certificate is there by the last of its keys, and gone when the handshake is refused.
  server.on('keylog', (line: Buffer, socket: TLSSocket) => {
    if (!isQuiet() && line.includes('CLIENT_TRAFFIC_SECRET_0'))
      shown.set(socket, shownChain(socket.getPeerCertificate(true)))
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    since += 1
    if (isQuiet()) return
    // OpenSSL's name for it; the socket is closed by now, and has no address any more.
    const name = socket.authorizationError as Error | string | null
    const why = String(name ?? error.code ?? error.message)
    const times = timeErrors.has(why) ? explainTimes(shown.get(socket) ?? [], nowMs()) : undefined
    const before = since > 1 ? ` (${since - 1} more since the last one)` : ''
    report(`mTLS handshake refused: ${why}${times === undefined ? '' : `: ${times}`}${before}`)
    toldMs = performance.now()
    since = 0
  })
}

const timeErrors: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'])
