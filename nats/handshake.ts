// What a listener shows to whoever dials it: the certificates, whatever they are. Nothing is judged
// here, so that a wrong certificate can be looked at too.
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Refusal } from '../core/errors.ts'
import { formatHostPort } from '../core/network/endpoint.ts'
import { quote } from '../core/quote.ts'
import { shownChain } from './shown-chain.ts'
import { watchHandshake } from './wrong-clock.ts'

/**
 * `nats`: INFO comes before TLS, as at client and leafnode listeners. `tls`: TLS comes first, as at
 * route, gateway and HTTPS listeners and with handshake_first. `auto` listens for INFO a moment.
 */
export type HandshakeMode = 'auto' | 'nats' | 'tls'

export interface Peer {
  readonly host: string
  readonly port: number
  readonly mode?: HandshakeMode
  /** For SNI, where it is not the host. */
  readonly serverName?: string
  /** PEM of what we show when we are asked for it; without it the peer refuses us, and notes it. */
  readonly own?: { readonly certificate: string; readonly key: string }
  /** It speaks first, to whomever it admits: until it did, the handshake is not over. */
  readonly isGreeting?: boolean
  readonly timeoutMs?: number
}

export interface PeerChain {
  /** In DER: the leaf, and each followed by its issuer, as far as they were sent. */
  readonly chain: readonly Buffer[]
  /** Such as `NATS, TLSv1.3`. */
  readonly protocol: string
}

const timeoutMsDefault = 5_000
const silenceMs = 500
/** INFO is sent as soon as a server hears that it is dialled, so it comes as fast as a connection does. */
const silenceFactor = 3
const infoBytesMax = 64 * 1024

/**
 * The certificates that a listener shows, also where it asks for one of ours, and refuses us after.
 * Refuses a peer that does not answer (ERR_CONNECT), and one that does without TLS (ERR_PEER_PLAIN).
 */
export async function peerChain(peer: Peer): Promise<PeerChain> {
  const { host, port, timeoutMs = timeoutMsDefault } = peer
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connectTcp({ host, port })
  try {
    return await lookAt(socket, { peer, signal })
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    const reason = signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(cause)
    const what = `cannot connect to ${formatHostPort(host, port)}: ${reason}`
    throw new Refusal('ERR_CONNECT', what, { cause })
  } finally {
    socket.destroy()
  }
}

interface Looking {
  readonly peer: Peer
  readonly signal: AbortSignal
}

async function lookAt(socket: Socket, { peer, signal }: Looking): Promise<PeerChain> {
  const { mode = 'auto', timeoutMs = timeoutMsDefault } = peer
  const dialled = performance.now()
  await once(socket, 'connect', { signal })
  const usualMs = Math.max(silenceMs, silenceFactor * (performance.now() - dialled))
  const patienceMs = Math.ceil(Math.min(usualMs, timeoutMs / 2))
  const silence = mode === 'auto' ? AbortSignal.timeout(patienceMs) : undefined
  const info = mode === 'tls' ? undefined : await hearInfo(socket, { peer, signal, silence })
  if (info !== undefined) requireTls(info, peer)
  const { chain, version } = await shakeHands(socket, { peer, signal })
  return { chain, protocol: `${info === undefined ? '' : 'NATS, '}${version}` }
}

/** The first line, or undefined for a peer that says nothing by itself until the silence ends. */
async function hearInfo(
  socket: Socket,
  { peer, signal, silence }: Looking & { readonly silence: AbortSignal | undefined },
): Promise<string | undefined> {
  let text = ''
  while (!text.includes('\n')) {
    // Who has begun is heard to the end.
    const isSilent = text === '' && silence !== undefined
    try {
      await once(socket, 'readable', {
        signal: isSilent ? AbortSignal.any([signal, silence]) : signal,
      })
    } catch (error) {
      if (isSilent && silence.aborted && !signal.aborted) return undefined
      throw error
    }
    const bytes = socket.read() as Buffer | null
    if (bytes === null) throw new Error('closed before it said anything')
    text += bytes.toString('latin1')
    if (!'INFO '.startsWith(text.slice(0, 5))) throw plain(peer, `says ${quote(text)}`)
    if (text.length > infoBytesMax) throw new Error(`INFO over ${infoBytesMax} bytes`)
  }
  return text
}

function requireTls(text: string, peer: Peer): void {
  const info = parseInfo(text.slice('INFO '.length))
  const { tls_required: isRequired, tls_available: isAvailable } = info
  if (isRequired !== true && isAvailable !== true) throw plain(peer, 'speaks NATS')
}

const plain = ({ host, port }: Peer, what: string) =>
  new Refusal('ERR_PEER_PLAIN', `${formatHostPort(host, port)} ${what} without TLS`)

interface Info {
  readonly tls_required?: boolean
  readonly tls_available?: boolean
}

function parseInfo(json: string): Info {
  try {
    return Object(JSON.parse(json)) as Info
  } catch (cause) {
    throw new Error('illegal INFO', { cause })
  }
}

async function shakeHands(socket: Socket, { peer, signal }: Looking): Promise<Shown> {
  const name = peer.serverName ?? peer.host
  const secure = connectTls({
    socket,
    // An empty store: what is missing in the chain is not filled in from here.
    ca: [],
    rejectUnauthorized: false,
    ...(peer.own && { cert: peer.own.certificate, key: peer.own.key }),
    ...(isIP(name) === 0 && { servername: name }),
  })
  const explain = watchHandshake(secure, peer.own?.certificate)
  let seen: Shown | undefined
  // With TLS 1.2 whoever refuses us does so before the handshake is over; the keys come before that.
  secure.on('keylog', () => (seen = readShown(secure)))
  try {
    await once(secure, 'secureConnect', { signal })
    seen = readShown(secure)
    if (peer.isGreeting === true) await hearGreeting(secure, signal)
    // Our part of the handshake is sent, too: a server writes down each that broke off.
    secure.end()
    await once(secure, 'finish', { signal })
    return seen
  } catch (error) {
    const isEnough = peer.isGreeting !== true && seen !== undefined && seen.chain.length > 0
    if (isEnough) return seen as Shown
    throw isPlain(error) ? plain(peer, 'answers') : explain(error as Error)
  } finally {
    // It may still say that it wanted a certificate from us.
    secure.on('error', () => {})
    secure.destroy()
  }
}

async function hearGreeting(secure: TLSSocket, signal: AbortSignal): Promise<void> {
  await once(secure, 'readable', { signal })
  if (secure.read() === null) throw new Error('it does not admit us')
}

interface Shown {
  readonly chain: readonly Buffer[]
  readonly version: string
}

function readShown(secure: TLSSocket): Shown {
  return {
    chain: shownChain(secure.getPeerCertificate(true)),
    version: secure.getProtocol() ?? 'TLS',
  }
}

/** What came in place of a handshake was none. */
const isPlain = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SSL_WRONG_VERSION_NUMBER'

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
