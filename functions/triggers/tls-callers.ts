// Who is at the other end of each open mTLS connection. TLS looks at a certificate once, when a connection
// begins; here it is looked at as long as the connection is open.
import { hash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { Refusal } from '../../core/errors.ts'
import type { BundleMap } from '../../core/identity/bundle.ts'
import type { TrustDomain } from '../../core/identity/spiffe-id.ts'
import { requireNamesOfDomain, verifySvid } from '../../core/identity/svid.ts'
import { formatTime, thisClock } from '../../core/time.ts'
import { shownChain } from '../../nats/shown-chain.ts'
import type { CallerIdentity } from '../provisioning/audit.ts'

export interface Callers {
  /** Of a connection that TLS has let in; it ends with its certificate. */
  admit(socket: TLSSocket): void
  /** Refuses a certificate that is no SVID, is over, or is not of the bundles as they are now. */
  identify(socket: TLSSocket): CallerIdentity
  /** Ends the connections of those who are refused by now. */
  recheck(): void
}
export interface CallersOptions {
  readonly bundles: () => BundleMap
  /** Of the listener. */
  readonly own: TrustDomain
  readonly nowMs: () => number
}

interface Known {
  /** OpenSSL puts above the leaf what was sent, or what is trusted here. */
  readonly chain: readonly Buffer[]
  verified?: { readonly by: BundleMap; readonly identity: CallerIdentity } | undefined
  timer?: NodeJS.Timeout
}

/** Node fires longer timers at once. */
const timerMsMax = 2 ** 31 - 1

export function openCallers({ bundles, own, nowMs }: CallersOptions): Callers {
  const open = new Map<TLSSocket, Known>()
  const identify = (known: Known): CallerIdentity => {
    const [by, now] = [bundles(), nowMs()]
    if (known.verified?.by !== by)
      known.verified = { by, identity: verify(known.chain, { bundles: by, own, nowMs: now }) }
    return requireLeft(known.verified.identity, now)
  }
  const recheck = (socket: TLSSocket, known: Known): void => {
    clearTimeout(known.timer)
    try {
      const leftMs = identify(known).notAfterMs - nowMs()
      const look = (): void => recheck(socket, known)
      known.timer = setTimeout(look, Math.min(leftMs, timerMsMax)).unref()
    } catch {
      socket.destroy()
    }
  }
  return {
    admit(socket) {
      const known: Known = { chain: shownChain(socket.getPeerCertificate(true)) }
      open.set(socket, known)
      socket.once('close', () => {
        clearTimeout(known.timer)
        open.delete(socket)
      })
      // Who is refused by now is told so with the first request.
      if (isGood(() => identify(known))) recheck(socket, known)
    },
    identify: (socket) => told(() => identify(open.get(socket) ?? { chain: [] })),
    recheck() {
      for (const [socket, known] of open) recheck(socket, known)
    },
  }
}

function verify(
  chain: readonly Buffer[],
  { own, ...context }: { bundles: BundleMap; own: TrustDomain; nowMs: number },
): CallerIdentity {
  const svid = verifySvid(chain, context)
  requireNamesOfDomain(svid, own)
  const { id, leaf, path } = svid
  return {
    id,
    sha256: hash('sha256', leaf.der, 'base64url'),
    notAfterMs: Math.min(...path.map(({ notAfterMs }) => notAfterMs)),
  }
}

/** Without the patience that a verifier has with another's clock: it was good when it came. */
function requireLeft(identity: CallerIdentity, nowMs: number): CallerIdentity {
  if (nowMs < identity.notAfterMs) return identity
  const what = `certificate of ${identity.id}: ended ${formatTime(identity.notAfterMs)}, ${thisClock(nowMs)}`
  throw new Refusal('ERR_CERTIFICATE_EXPIRED', what)
}

/** The caller hears the rule, under the one code that means: come with another certificate. */
function told<T>(identify: () => T): T {
  try {
    return identify()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    const what = `certificate of the caller is refused: ${cause.code}: ${cause.message}`
    throw new Refusal('ERR_CALLER_CERTIFICATE', what, { cause })
  }
}

function isGood(look: () => unknown): boolean {
  try {
    look()
    return true
  } catch {
    return false
  }
}
