// The HTTPS trigger: the function's own door, for whoever cannot or will not ask over NATS. It shows the
// certificate for outside clients, and asks for none.
import type { KeyAndCertificate } from '../../core/identity/successor.ts'
import { answerHttp, type HttpDoor } from './http.ts'
import { openListener, type ListenAt } from './https-listener.ts'

export interface HttpsTrigger extends AsyncDisposable {
  readonly port: number
  /** For connections from now on; those that are open stay as they are. */
  show(shown: KeyAndCertificate): void
}

/** Listens until disposed; requests in flight are answered first, within a second. */
export async function serveHttps(
  at: ListenAt,
  shown: KeyAndCertificate,
  http: Omit<HttpDoor, 'trigger'>,
): Promise<HttpsTrigger> {
  const listener = await openListener(at, contextOf(shown), (request, response) => {
    void answerHttp(request, response, { ...http, trigger: 'https' })
  })
  return {
    port: listener.port,
    show: (next) => listener.server.setSecureContext(contextOf(next)),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

const contextOf = ({ certificate: cert, key }: KeyAndCertificate) =>
  ({ cert, key, minVersion: 'TLSv1.2' }) as const
