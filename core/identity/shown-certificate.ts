// A certificate for people: as OpenSSL reads it, for it may be one that we refuse to read.
import { hash, X509Certificate } from 'node:crypto'
import { showInvisible } from '../quote.ts'

export type Rank = 'leaf' | 'intermediate' | 'root'

export interface ShownCertificate {
  readonly rank: Rank
  readonly subject: string
  readonly issuer: string
  /** As OpenSSL writes them: `URI:spiffe://…, DNS:…`; what could be mistaken is quoted. */
  readonly names: string
  readonly serial: string
  readonly sha256: string
  readonly spkiSha256: string
  readonly notBefore: string
  readonly notAfter: string
  readonly secondsLeft: number
  /** By the peer; a root may come from our own file. */
  readonly isShown: boolean
}

export function showCertificate(
  der: Buffer,
  { isLeaf, isShown, nowMs }: { isLeaf: boolean; isShown: boolean; nowMs: number },
): ShownCertificate {
  const read = new X509Certificate(der)
  const { validFromDate, validToDate } = read
  const above = read.subject === read.issuer ? 'root' : 'intermediate'
  return {
    rank: isLeaf ? 'leaf' : above,
    subject: oneLine(read.subject),
    issuer: oneLine(read.issuer),
    names: showInvisible(read.subjectAltName ?? ''),
    serial: read.serialNumber.toLowerCase(),
    sha256: hash('sha256', der),
    spkiSha256: digestKey(read),
    notBefore: formatTime(validFromDate),
    notAfter: formatTime(validToDate),
    secondsLeft: Math.floor((validToDate.getTime() - nowMs) / 1000) || 0,
    isShown,
  }
}

/** OpenSSL hands on what is no time at all. */
const formatTime = (time: Date) =>
  Number.isNaN(time.getTime()) ? 'unreadable' : time.toISOString()

function digestKey(read: X509Certificate): string {
  try {
    return hash('sha256', read.publicKey.export({ format: 'der', type: 'spki' }))
  } catch {
    return 'unreadable'
  }
}

/**
 * OpenSSL escapes line breaks within a name, so these are between its parts; of control characters it
 * leaves those beyond ASCII, by which a peer would write to our terminal.
 */
export const oneLine = (name: string | undefined) =>
  showInvisible((name ?? '').replaceAll('\n', ', '))

/** `89 d 23 h`, `52 m`; what has ended is negative. */
export function formatLeft(seconds: number): string {
  if (seconds < 0) return `-${formatLeft(-seconds)}`
  const count = (unit: number) => Math.floor(seconds / unit)
  if (seconds >= 86_400) return `${count(86_400)} d ${count(3600) % 24} h`
  if (seconds >= 3600) return `${count(3600)} h ${count(60) % 60} m`
  return seconds >= 60 ? `${count(60)} m` : `${seconds} s`
}
