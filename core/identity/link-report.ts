// What the age of a link says: nats-server asks for a certificate when a link begins, and never again.
import { formatDuration } from '../duration.ts'
import { formatTime } from '../time.ts'
import { skewMs } from './chain.ts'
import type { PeerFinding } from './peer-report.ts'
import { formatLeft } from './shown-certificate.ts'

export interface ObservedLink {
  readonly kind: 'route' | 'gateway' | 'leafnode' | 'client'
  /** Who reports it. */
  readonly server: string
  readonly remote: string
  /** Whose authority vouched for the remote. */
  readonly region: string
  readonly startMs: number
  /** When the remote's certificate ends, where it is known which one it was. */
  readonly certifiedUntilMs?: number
}

export interface LinkFinding extends PeerFinding {
  /** Who reports the link. */
  readonly server: string
}

export interface LinkReport {
  readonly links: readonly InferredLink[]
  readonly findings: readonly LinkFinding[]
}

export interface InferredLink extends ObservedLink {
  /** Of the certificate by which it was made: at the latest, where it is not known which one. */
  readonly certifiedUntilMs?: number
  readonly isGuessed?: boolean
  readonly isOutlived: boolean
}

export interface LinkContext {
  /**
   * How long the leaf lasts that each server shows now, taken for how long the one before lasted.
   */
  readonly lifetimesMs: ReadonlyMap<string, number>
  /** By region: when the oldest authority began that is trusted for it now. */
  readonly trustedSinceMs: ReadonlyMap<string, number>
  readonly ageSecondsMax?: number | undefined
  readonly nowMs: number
}

/**
 * That a link outlives its certificate is no fault: leaves last an hour, links for as long as their
 * servers. It is a finding when the link is older than all the authorities that are trusted now: its
 * peer was checked by one that was taken out since; or older than is wished.
 */
export function judgeLinks(observed: readonly ObservedLink[], context: LinkContext): LinkReport {
  const links = observed.map((link): InferredLink => {
    const lifetimeMs = context.lifetimesMs.get(link.server)
    // It began a little before it was made, and was made before the link.
    const guessed = lifetimeMs === undefined ? undefined : link.startMs + lifetimeMs - skewMs
    const certifiedUntilMs = link.certifiedUntilMs ?? guessed
    const isGuessed = link.certifiedUntilMs === undefined
    const isOutlived = certifiedUntilMs !== undefined && certifiedUntilMs < context.nowMs
    const certified = certifiedUntilMs === undefined ? {} : { certifiedUntilMs, isGuessed }
    return { ...link, ...certified, isOutlived }
  })
  return { links, findings: links.flatMap((link) => findOld(link, context)) }
}

function findOld(
  link: InferredLink,
  { trustedSinceMs, ageSecondsMax = Infinity, nowMs }: LinkContext,
): LinkFinding[] {
  const { server } = link
  const find = (what: string): LinkFinding[] => [
    { misfit: 'link', code: 'ERR_LINK_OLD', server, message: `${nameLink(link)}: ${what}` },
  ]
  // An authority begins a little before it was made, as every certificate here does.
  const sinceMs = (trustedSinceMs.get(link.region) ?? 0) + skewMs
  if (link.startMs < sinceMs)
    return find(
      `since ${formatTime(link.startMs)}, before any authority of ${link.region} that is trusted`,
    )
  const ageSeconds = Math.floor((nowMs - link.startMs) / 1000)
  if (ageSeconds > ageSecondsMax)
    return find(`${formatLeft(ageSeconds)} old, over ${formatDuration(ageSecondsMax)}`)
  return []
}

export function formatLink(link: InferredLink): string {
  return `${nameLink(link)}: identity was checked at ${formatTime(link.startMs)}${certified(link)}`
}

function certified({ certifiedUntilMs, isGuessed, isOutlived }: InferredLink): string {
  if (certifiedUntilMs === undefined) return ''
  const until = `${formatTime(certifiedUntilMs)}${isGuessed ? ' at the latest' : ''}`
  return isOutlived
    ? `, under a certificate that has ended (${until})`
    : `, under a certificate until ${until}`
}

const nameLink = ({ kind, server, remote }: ObservedLink) => `${kind} ${server} – ${remote}`
