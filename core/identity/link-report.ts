// What the age of a link says: nats-server asks for a certificate when a link begins, and never again.
import { formatLeft } from './shown-certificate.ts'
import type { PeerFinding } from './peer-report.ts'

export interface ObservedLink {
  readonly kind: 'route' | 'gateway' | 'leafnode'
  /** Who reports it. */
  readonly server: string
  readonly remote: string
  /** Not of leafnodes: nats-server does not say. */
  readonly startMs?: number
}

export interface InferredLink extends ObservedLink {
  /** Until when the certificates can have lasted by which it was made. */
  readonly certifiedUntilMs?: number
}

export interface LinkReport {
  readonly links: readonly InferredLink[]
  readonly findings: readonly PeerFinding[]
}

/**
 * `lifetimesMs`: how long the leaf lasts that each server shows now, taken for how long the one before
 * lasted. A link that is older is held by a certificate that has ended.
 */
export function judgeLinks(
  observed: readonly ObservedLink[],
  { lifetimesMs, nowMs }: { lifetimesMs: ReadonlyMap<string, number>; nowMs: number },
): LinkReport {
  const links = observed.map((link): InferredLink => {
    const lifetimeMs = lifetimesMs.get(link.server)
    return link.startMs === undefined || lifetimeMs === undefined
      ? link
      : { ...link, certifiedUntilMs: link.startMs + lifetimeMs }
  })
  return { links, findings: links.flatMap((link) => findOld(link, nowMs)) }
}

function findOld({ certifiedUntilMs, ...link }: InferredLink, nowMs: number): PeerFinding[] {
  if (certifiedUntilMs === undefined || certifiedUntilMs >= nowMs) return []
  const over = formatLeft(Math.floor((nowMs - certifiedUntilMs) / 1000))
  const message = `${nameLink(link)}: its certificate ended ${over} ago at the latest`
  return [{ misfit: 'link', code: 'ERR_LINK_OLD', message }]
}

export function formatLink(link: InferredLink): string {
  const { startMs, certifiedUntilMs } = link
  const iso = (timeMs: number) => new Date(timeMs).toISOString()
  const start = startMs === undefined ? 'start is not reported' : `since ${iso(startMs)}`
  const until = certifiedUntilMs === undefined ? '' : `, certified until ${iso(certifiedUntilMs)}`
  return `${nameLink(link)}: ${start}${until}`
}

const nameLink = ({ kind, server, remote }: ObservedLink) => `${kind} ${server} – ${remote}`
