// Every listener of the local network by a handshake, every connection by its certificate's digest, and
// every link by its age.
import { Refusal } from '../../core/errors.ts'
import type { Certificate } from '../../core/identity/certificate.ts'
import {
  expectedPeers,
  handshakeMode,
  type ExpectedPeer,
} from '../../core/identity/expected-peers.ts'
import { formatPeerFindings } from '../../core/identity/format-peer.ts'
import { formatConnection, type ConnectionReport } from '../../core/identity/connection-report.ts'
import { formatLink, type LinkReport } from '../../core/identity/link-report.ts'
import {
  findSilent,
  judgePeer,
  type PeerFinding,
  type PeerWishes,
} from '../../core/identity/peer-report.ts'
import { formatLeft, type ShownCertificate } from '../../core/identity/shown-certificate.ts'
import { formatHostPort } from '../../core/network/endpoint.ts'
import { peerChain } from '../../nats/handshake.ts'
import type { Place } from '../command.ts'
import { openOperatorSession } from '../operator-session.ts'
import { auditConnections, type AuditedNetwork } from './all-connections.ts'
import { auditLinks } from './all-links.ts'
import { livePlaces } from './live-places.ts'

export interface ObservedPeer {
  readonly name: string
  readonly listener: ExpectedPeer['listener']
  readonly address: string
  readonly id?: string
  readonly certificates: readonly ShownCertificate[]
  readonly findings: readonly PeerFinding[]
}

export interface NetworkReport {
  readonly observed: readonly ObservedPeer[]
  readonly connected: ConnectionReport
  readonly inferred: LinkReport
}

export interface AllWishes extends Pick<PeerWishes, 'nowMs' | 'failUnder'> {
  readonly roots: readonly Certificate[]
  readonly timeoutMs: number
  readonly linkAgeSecondsMax?: number | undefined
}

export async function verifyAll(place: Place, wishes: AllWishes): Promise<NetworkReport> {
  const session = openOperatorSession(place)
  const { archipelago } = session
  const observed = await observePeers({ archipelago, homes: place.homes }, wishes)
  const observer = await orRefusal(session.connectAs('observer'))
  if (observer instanceof Refusal) return silentNetwork(observed, observer)
  try {
    const network = { archipelago, homes: place.homes, observer }
    const connected = await auditConnections(network, wishes.timeoutMs)
    const inferred = await auditLinks(network, connected, {
      ...{ ...wishes, ageSecondsMax: wishes.linkAgeSecondsMax },
      lifetimesMs: lifetimesOf(observed),
    })
    return { observed, connected, inferred }
  } finally {
    await observer.close()
  }
}

const orRefusal = <T>(wanted: Promise<T>): Promise<T | Refusal> =>
  wanted.catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'ERR_CONNECT') return error
    throw error
  })

function silentNetwork(observed: readonly ObservedPeer[], refusal: Refusal): NetworkReport {
  const finding = { server: 'all servers', ...findSilent(refusal) }
  return {
    observed,
    connected: { connections: [], findings: [finding] },
    inferred: { links: [], findings: [] },
  }
}

/** Process by process: a network that is looked at should not notice it, and one that hangs costs one wait. */
export async function observePeers(
  { archipelago, homes }: Pick<AuditedNetwork, 'archipelago' | 'homes'>,
  wishes: AllWishes,
): Promise<ObservedPeer[]> {
  const doors = [...new Set(archipelago.roles.flatMap((role) => role.doors))]
  const peers = expectedPeers(archipelago, livePlaces(archipelago, homes), doors)
  const observed: ObservedPeer[] = []
  for (const listeners of Map.groupBy(peers, ({ name }) => name).values())
    observed.push(...(await Promise.all(listeners.map((peer) => observePeer(peer, wishes)))))
  return observed
}

async function observePeer(peer: ExpectedPeer, wishes: AllWishes): Promise<ObservedPeer> {
  const { name, listener, endpoint, id } = peer
  const { host, port } = endpoint
  const where = { name, listener, address: formatHostPort(host, port) }
  try {
    const mode = handshakeMode(peer)
    const { chain } = await peerChain({ host, port, mode, timeoutMs: wishes.timeoutMs })
    const report = judgePeer(chain, { ...wishes, name: host, id })
    const { certificates, findings } = report
    return { ...where, ...(report.id && { id: report.id }), certificates, findings }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ...where, certificates: [], findings: [findSilent(error)] }
  }
}

/** By what each server shows its peers. */
function lifetimesOf(observed: readonly ObservedPeer[]): Map<string, number> {
  const shown = observed.filter(({ listener }) => listener === 'route')
  return new Map(
    shown.flatMap(({ name, certificates: [leaf] }) =>
      leaf === undefined ? [] : [[name, Date.parse(leaf.notAfter) - Date.parse(leaf.notBefore)]],
    ),
  )
}

export const findingsOf = ({ observed, connected, inferred }: NetworkReport): PeerFinding[] => [
  ...observed.flatMap(({ findings }) => findings),
  ...connected.findings,
  ...inferred.findings,
]

export function formatNetwork(report: NetworkReport): string[] {
  const { observed, connected, inferred } = report
  return [
    'observed, by a handshake:',
    ...observed.flatMap((peer) => [`  ${formatObserved(peer)}`, ...indent(peer.findings)]),
    'observed, by the digests of certificates that servers report, looked up in the record of issuance:',
    ...connected.connections.map((connection) => `  ${formatConnection(connection)}`),
    ...indent(connected.findings),
    'inferred, from when a link began, for nobody asks again:',
    ...inferred.links.map((link) => `  ${formatLink(link)}`),
    ...indent(inferred.findings),
    formatVerdict(report),
  ]
}

function formatVerdict(report: NetworkReport): string {
  const { observed, connected, inferred } = report
  const found = findingsOf(report).length
  const seen = `${observed.length} listeners, ${connected.connections.length} connections, ${inferred.links.length} links`
  const outlived = inferred.links.filter(({ isOutlived }) => isOutlived).length
  const old = outlived === 0 ? '' : `; ${outlived} links have outlived their certificates`
  return `${found === 0 ? '✔ everything fits' : `✘ findings: ${found}`} (${seen}${old})`
}

function formatObserved({ name, listener, address, id, certificates }: ObservedPeer): string {
  const left = certificates.map(({ rank, secondsLeft }) => `${rank} ${formatLeft(secondsLeft)}`)
  const who = certificates.length === 0 ? 'nothing shown' : (id ?? 'public')
  return `${name} ${listener} ${address}: ${who}${left.length === 0 ? '' : `, left: ${left.join(', ')}`}`
}

const indent = (findings: readonly PeerFinding[]) =>
  formatPeerFindings(findings).map((line) => `    ${line}`)
