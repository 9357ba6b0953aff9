// Whether processes show what lies in their certificate files: a file that is newer than what is
// served means that a renewal did not arrive.
import {
  expectedPeers,
  handshakeMode,
  type ExpectedPeer,
} from '../../core/identity/expected-peers.ts'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { Refusal } from '../../core/errors.ts'
import type { RegionPlace } from '../../core/network/endpoint.ts'
import type { KeyFiles } from '../../core/network/tls.ts'
import { peerChain } from '../../nats/handshake.ts'
import { readOrRefuse } from '../../store/files.ts'
import type { NetworkSource } from '../configurations.ts'
import { identityPaths, publicPaths } from '../layout.ts'

export interface ServingNetwork extends Pick<NetworkSource, 'archipelago' | 'doors'> {
  readonly data: string
  readonly regions: readonly RegionPlace[]
}

const attemptMs = 1000

/**
 * A handshake with each listener of a process, as a peer that it admits. Refuses where one shows
 * another certificate than that of its file. A function that does not run is passed over: it reads
 * its files when it starts.
 */
export async function requireServed(network: ServingNetwork, name: string): Promise<void> {
  const { archipelago, regions, doors } = network
  const peers = expectedPeers(archipelago, regions, doors).filter((peer) => peer.name === name)
  await Promise.all(peers.map((peer) => requireListener(network, peer)))
}

async function requireListener(network: ServingNetwork, peer: ExpectedPeer): Promise<void> {
  const dialer = dialerOf(network, peer)
  if (dialer === nobody) return
  const shown = await look(
    peer,
    dialer === anybody ? undefined : identityPaths(network.data, dialer),
  )
  if (shown === notRunning) return
  const file = filesOf(network, peer).certificate
  const [held] = parseCertificates(readOrRefuse(file, 'certificate'))
  if (held?.der.equals(shown) === true) return
  throw new Refusal(
    'ERR_CERTIFICATE_NOT_SERVED',
    `${peer.name} shows another certificate to its ${peer.listener} peers than ${file}, of serial ${held?.serial}`,
  )
}

const anybody = Symbol('anybody')
const nobody = Symbol('nobody')
const notRunning = Symbol('not running')

interface Process {
  readonly name: string
  readonly region: string
}

/** Who may dial there: as somebody else the process would note a refused handshake. */
function dialerOf(
  { regions }: ServingNetwork,
  { name, listener }: ExpectedPeer,
): Process | typeof anybody | typeof nobody {
  const own = regions.find(({ servers, leafnode }) =>
    [...servers, leafnode].some((process) => process.name === name),
  )
  if (own === undefined) {
    const { servers: [peer] = [] } =
      regions.find(({ doors }) => doors.some((door) => door.name === name)) ?? {}
    return (listener === 'mtls' && peer) || anybody
  }
  if (listener === 'route') return own.servers.find((server) => server.name !== name) ?? nobody
  if (listener === 'gateway') return regions.find((region) => region !== own)?.servers[0] ?? nobody
  return own.leafnode
}

async function look(
  peer: ExpectedPeer,
  own: KeyFiles | undefined,
): Promise<Buffer | typeof notRunning> {
  const { host, port } = peer.endpoint
  try {
    const { chain } = await peerChain({
      ...{ host, port, mode: handshakeMode(peer), timeoutMs: attemptMs },
      ...(own && { own: readOwn(own) }),
      isGreeting: greeting.has(peer.listener),
    })
    return chain[0] ?? Buffer.alloc(0)
  } catch (error) {
    const isFunction = peer.listener === 'https' || peer.listener === 'mtls'
    if (isFunction && isNobodyThere(error)) return notRunning
    throw error
  }
}

/** Whoever hangs up on these before they have spoken is noted as a fault. */
const greeting = new Set<ExpectedPeer['listener']>(['route', 'gateway', 'leafnode'])

const readOwn = ({ certificate, key }: KeyFiles) => ({
  certificate: readOrRefuse(certificate, 'certificate'),
  key: readOrRefuse(key, 'key'),
})

const isNobodyThere = (error: unknown) =>
  ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'

function filesOf({ data, regions }: ServingNetwork, { name, id }: ExpectedPeer): KeyFiles {
  const region = regions.find(({ servers, leafnode, doors }) =>
    [...servers, leafnode, ...doors].some((process) => process.name === name),
  )
  if (region === undefined) throw new RangeError(`no such process: '${name}'`)
  const process = { name, region: region.name }
  return id === undefined ? publicPaths(data, process) : identityPaths(data, process)
}
