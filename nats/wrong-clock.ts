// TLS says that a certificate is not good at this time, and leaves out by whose clock: both are named
// here.
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import {
  parseCertificate,
  parseCertificates,
  type Certificate,
} from '../core/identity/certificate.ts'
import { formatTime, thisClock } from '../core/time.ts'
import { shownChain } from './shown-chain.ts'

/** Of an error of a handshake, one that says why; what says so already comes back as it is. */
export type Explain = (error: Error) => Error

/**
 * Listens to a handshake that has not begun yet. What its peer showed has to be kept: it is gone when
 * the handshake has failed. `own`: what we show, in PEM.
 */
export function watchHandshake(secure: TLSSocket, own: ConnectionOptions['cert']): Explain {
  let chain: readonly Buffer[] = []
  const keep = (): void => {
    chain = shownChain(secure.getPeerCertificate(true))
    if (chain.length > 0) secure.off('keylog', keep)
  }
  // Node tells of the keys when the peer's certificates are there, and before it judges them.
  secure.on('keylog', keep)
  return (cause: TlsError) => {
    const reason =
      explain(cause, { chain, own: String(own ?? ''), nowMs: Date.now() }) ?? cause.reason
    return reason === undefined ? cause : new Error(reason, { cause })
  }
}

interface TlsError extends Error {
  readonly code?: string
  /** OpenSSL's own words, without where in its source they were said. */
  readonly reason?: string
}
interface Shown {
  readonly chain: readonly Buffer[]
  readonly own: string
  readonly nowMs: number
}

function explain({ code }: TlsError, { chain, own, nowMs }: Shown): string | undefined {
  switch (code) {
    case 'CERT_NOT_YET_VALID':
    case 'CERT_HAS_EXPIRED':
      return explainTimes(chain, nowMs)
    // Also for one that has not begun: there is no other alert for it.
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED':
      return explainOwn(own, { said: 'it refuses', nowMs })
    // As a listener of Node's does, whatever it has against a certificate.
    case 'ECONNRESET':
      return explainOwn(own, { said: 'it hung up on', nowMs })
    case undefined:
    default:
      return undefined
  }
}

/** Which of these certificates, in DER, is not good at this time; undefined where that is not it. */
export function explainTimes(chain: readonly Buffer[], nowMs: number): string | undefined {
  try {
    return compareAll('its', chain.map(parseCertificate), nowMs)
  } catch {
    // No certificate of a kind that is known here.
    return undefined
  }
}

function explainOwn(
  own: string,
  { said, nowMs }: { readonly said: string; readonly nowMs: number },
): string | undefined {
  const certificates = own === '' ? [] : parseCertificates(own)
  const [leaf] = certificates
  if (leaf === undefined) return undefined
  const found = compareAll('our', certificates, nowMs)
  if (found !== undefined) return `${said} our certificate: ${found}`
  const life = `good from ${formatTime(leaf.notBeforeMs)} to ${formatTime(leaf.notAfterMs)}`
  return `${said} our certificate, ${life}, ${thisClock(nowMs)}`
}

function compareAll(
  whose: string,
  certificates: readonly Certificate[],
  nowMs: number,
): string | undefined {
  const clock = `by its issuer's clock, ${thisClock(nowMs)}`
  for (const { notBeforeMs, notAfterMs } of certificates) {
    if (nowMs < notBeforeMs)
      return `${whose} certificate begins ${formatTime(notBeforeMs)} ${clock}`
    if (nowMs > notAfterMs) return `${whose} certificate ended ${formatTime(notAfterMs)} ${clock}`
  }
  return undefined
}
