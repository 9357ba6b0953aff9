import type { Server, TLSSocket } from 'node:tls'
import { Refusal } from '../../core/errors.ts'
import { shownChain } from '../../nats/shown-chain.ts'
import { explainTimes } from '../../nats/wrong-clock.ts'
import type { Audit } from '../provisioning/audit.ts'
import { sourceOf } from './source.ts'

const pauseMs = 10_000

export interface Telling {
  readonly audit: Audit
  readonly report: (line: string) => void
  readonly nowMs: () => number
}

/**
 * A line for the first refused handshake, and every 10 s one for those since, however many they are; and who was
 * refused goes to the audit, which sums up as well.
 */
export function tellRefused(server: Server, { audit, report, nowMs }: Telling): void {
  const shown = new WeakMap<TLSSocket, readonly Buffer[]>()
  const sources = new WeakMap<TLSSocket, string>()
  let since = 0
  let toldMs = -Infinity
  const isQuiet = (): boolean => performance.now() - toldMs < pauseMs
  // The certificate is there by the last of its keys, and gone when the handshake is refused.
  server.on('keylog', (line: Buffer, socket: TLSSocket) => {
    if (!sources.has(socket)) sources.set(socket, sourceOf(socket.remoteAddress))
    if (!isQuiet() && line.includes('CLIENT_TRAFFIC_SECRET_0'))
      shown.set(socket, shownChain(socket.getPeerCertificate(true)))
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    since += 1
    // OpenSSL's name for it; the socket is closed by now, and has no address any more.
    const name = socket.authorizationError as Error | string | null
    const why = String(name ?? error.code ?? error.message)
    // Whoever hangs up was refused nothing.
    if (why !== 'ECONNRESET')
      audit.unread(
        { trigger: 'mtls', source: sources.get(socket) ?? 'unknown' },
        { error: refused, kind: 'connection', reason: String(name ?? error.code ?? 'unknown') },
      )
    if (isQuiet()) return
    const times = timeErrors.has(why) ? explainTimes(shown.get(socket) ?? [], nowMs()) : undefined
    const before = since > 1 ? ` (${since - 1} more since the last one)` : ''
    report(`mTLS handshake refused: ${why}${times === undefined ? '' : `: ${times}`}${before}`)
    toldMs = performance.now()
    since = 0
  })
}

const refused = new Refusal('ERR_CALLER_CERTIFICATE', 'certificate of the caller is refused')
const timeErrors: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'])
