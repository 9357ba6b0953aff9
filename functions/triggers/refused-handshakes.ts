import type { TLSSocket } from 'node:tls'

const pauseMs = 10_000

/** A line for the first refused handshake, and every 10 s one for those since, however many they are. */
export function countHandshakes(
  report: (line: string) => void,
): (error: NodeJS.ErrnoException, socket: TLSSocket) => void {
  let since = 0
  let toldMs = -Infinity
  return (error, socket) => {
    since += 1
    if (performance.now() - toldMs < pauseMs) return
    // OpenSSL's name for it; the socket is closed by now, and has no address any more.
    const why = String((socket.authorizationError as Error | null) ?? error.code ?? error.message)
    const before = since > 1 ? ` (${since - 1} more since the last one)` : ''
    report(`mTLS handshake refused: ${why}${before}`)
    toldMs = performance.now()
    since = 0
  }
}
