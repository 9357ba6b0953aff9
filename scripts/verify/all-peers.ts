// Every listener of the local network by a handshake, and every link by what its servers report.
import { Refusal } from '../../core/errors.ts'
import type { Certificate } from '../../core/identity/certificate.ts'
import { expectedPeers, type ExpectedPeer } from '../../core/identity/expected-peers.ts'
import { formatPeerFindings } from '../../core/identity/format-peer.ts'
import { formatLink, judgeLinks, type LinkReport } from '../../core/identity/link-report.ts'
import { judgePeer, type PeerFinding, type PeerWishes } from '../../core/identity/peer-report.ts'
import { formatLeft, type ShownCertificate } from '../../core/identity/shown-certificate.ts'
import { formatHostPort, placeNetwork } from '../../core/network/endpoint.ts'
import { peerChain } from '../../nats/handshake.ts'
import { observeLinks } from '../../nats/observe-links.ts'
import type { Place } from '../command.ts'
import { openOperatorSession } from '../operator-session.ts'

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
  readonly inferred: LinkReport
}

export interface AllWishes extends Pick<PeerWishes, 'nowMs' | 'failUnder'> {
  readonly roots: readonly Certificate[]
  readonly timeoutMs: number
}

export async function verifyAll(place: Place, wishes: AllWishes): Promise<NetworkReport> {
  const session = openOperatorSession(place)
  const { archipelago } = session
  const doors = [...new Set(archipelago.roles.flatMap((role) => role.doors))]
  const peers = expectedPeers(archipelago, placeNetwork(archipelago, 'laptop'), doors)
  const observed: ObservedPeer[] = []
  // In turn: a network that is looked at should not notice it.
  for (const peer of peers) observed.push(await observePeer(peer, wishes))
  const connection = await session.connectAs('observer')
  try {
    const links = await observeLinks(connection, { deadlineMs: wishes.timeoutMs })
    const { nowMs } = wishes
    return { observed, inferred: judgeLinks(links, { lifetimesMs: lifetimesOf(observed), nowMs }) }
  } finally {
    await connection.close()
  }
}

async function observePeer(peer: ExpectedPeer, wishes: AllWishes): Promise<ObservedPeer> {
  const { name, listener, endpoint, id } = peer
  const { host, port } = endpoint
  const where = { name, listener, address: formatHostPort(host, port) }
  try {
    // As core/network configures it: only clients are greeted before TLS.
    const mode = listener === 'client' ? 'nats' : 'tls'
    const { chain } = await peerChain({ host, port, mode, timeoutMs: wishes.timeoutMs })
    const report = judgePeer(chain, { ...wishes, name: host, id })
    const { certificates, findings } = report
    return { ...where, ...(report.id && { id: report.id }), certificates, findings }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const finding = { misfit: 'chain', code: error.code, message: error.message } as const
    return { ...where, certificates: [], findings: [finding] }
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

export function formatNetwork({ observed, inferred }: NetworkReport): string[] {
  return [
    'observed, by a handshake:',
    ...observed.flatMap((peer) => [`  ${formatObserved(peer)}`, ...indent(peer.findings)]),
    'inferred, from when a link began and how long certificates last:',
    ...inferred.links.map((link) => `  ${formatLink(link)}`),
    ...indent(inferred.findings),
    'not checked: by which certificate a client or leafnode is connected',
  ]
}

function formatObserved({ name, listener, address, id, certificates }: ObservedPeer): string {
  const left = certificates.map(({ rank, secondsLeft }) => `${rank} ${formatLeft(secondsLeft)}`)
  return `${name} ${listener} ${address}: ${id ?? 'public'}, left: ${left.join(', ') || '–'}`
}

const indent = (findings: readonly PeerFinding[]) =>
  formatPeerFindings(findings).map((line) => `    ${line}`)
