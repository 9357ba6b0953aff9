// The HTTPS listener for workloads: both ends show identities. A listener of its own, so that which
// certificate is shown and asked for never depends on the caller.
import { constants } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import {
  formatCertificates,
  parseCertificates,
  type Certificate,
} from '../../core/identity/certificate.ts'
import { trustDomainOf } from '../../core/identity/spiffe-id.ts'
import type { KeyAndCertificate } from '../../core/identity/successor.ts'
import { requireSvid } from '../../core/identity/svid.ts'
import type { PeerTrust } from '../certificates/peer-trust.ts'
import { answerHttp, refuseHttp, type HttpDoor } from './http.ts'
import type { HttpsTrigger } from './https.ts'
import { openListener, type ListenAt } from './https-listener.ts'
import { tellRefused } from './refused-handshakes.ts'
import { sourceOf } from './source.ts'
import { openCallers, type Callers } from './tls-callers.ts'

export interface MtlsDoor extends Omit<HttpDoor, 'trigger' | 'identity'> {
  readonly report: (line: string) => void
  readonly nowMs: () => number
}
export interface MtlsTrigger extends HttpsTrigger {
  /** From now on, and for those who are connected already: who is not of it is cut off. */
  trust(trust: PeerTrust): void
}

/** Listens until disposed. A request reaches the function with its caller's identity, or not at all. */
export async function serveMtls(
  at: ListenAt,
  { shown, trust }: { readonly shown: KeyAndCertificate; readonly trust: PeerTrust },
  door: MtlsDoor,
): Promise<MtlsTrigger> {
  const current = { shown, trust }
  const { audit, nowMs, report } = door
  const callers = openCallers({ bundles: () => current.trust.bundles, own: domainOf(shown), nowMs })
  const asks = { requestCert: true, rejectUnauthorized: true, ...contextOf(current) }
  const listener = await openListener(at, asks, (request, response) =>
    answer(request, response, { door, callers }),
  )
  const { server } = listener
  server.on('secureConnection', (socket) => callers.admit(socket))
  tellRefused(server, { audit, report, nowMs })
  const update = (change: Partial<typeof current>): void => {
    Object.assign(current, change)
    server.setSecureContext(contextOf(current))
  }
  return {
    port: listener.port,
    show: (next) => update({ shown: next }),
    trust(next) {
      update({ trust: next })
      callers.recheck()
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

const domainOf = ({ certificate }: KeyAndCertificate) =>
  trustDomainOf(requireSvid(parseCertificates(certificate)[0] as Certificate))

/**
 * Without tickets: whoever resumes a session is not asked for a certificate again, and need not have its
 * key. TLS 1.3 knows no renegotiation. Node 24 takes no intermediate for an anchor on the server's side
 * (it drops allowPartialTrustChain there), so TLS asks the root, and the bundles are asked of everybody
 * who comes that far.
 */
const contextOf = ({ shown, trust }: { shown: KeyAndCertificate; trust: PeerTrust }) => {
  const authorities = [...trust.bundles.values()].flatMap((bundle) => bundle.authorities)
  const ca = trust.roots + formatCertificates(authorities)
  const { certificate: cert, key } = shown
  return {
    cert,
    key,
    ca,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { door, callers }: { door: MtlsDoor; callers: Callers },
): void {
  try {
    const identity = callers.identify(request.socket as TLSSocket)
    void answerHttp(request, response, { ...door, trigger: 'mtls', identity })
  } catch (error) {
    const caller = { trigger: 'mtls', source: sourceOf(request.socket.remoteAddress) } as const
    door.audit.unread(caller, { error, kind: 'connection' })
    refuseHttp(response, error, door.door)
  }
}
