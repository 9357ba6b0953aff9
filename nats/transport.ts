// One kind of transport for every connection of a process. The client keeps the factory of transports
// in one place for all of them, and asks it again at every reconnect: its own `wsconnect` beside
// `connect` would dial one connection's server in the way of the other.
import type { Duplex } from 'node:stream'
import { connect, type ConnectionOptions as TlsConnection, type TLSSocket } from 'node:tls'
import type { ConnectionOptions, NatsConnection } from '@nats-io/nats-core'
import { MsgHdrsImpl, NatsConnectionImpl, setTransportFactory } from '@nats-io/nats-core/internal'
import { nodeResolveHost, NodeTransport } from '@nats-io/transport-node/lib/node_transport.js'
import { watchHandshake, type Explain } from './wrong-clock.ts'

/** What is dialled: a name only where it was one. */
export interface Dialled {
  readonly hostname: string
  readonly port: number
  readonly tlsName: string
}

/** Resolves when NATS can be spoken: encrypted, and with a peer that is the right one. */
export type OpenStream = (server: Dialled) => Promise<Duplex>

export interface Way {
  /** In place of TLS over TCP. */
  readonly open?: OpenStream | undefined
  /** Hears how each handshake came out, also at reconnects, of which the client says nothing. */
  readonly onHandshake?: ((refusal: Error | undefined) => void) | undefined
}

/** Over TCP, with TLS as the options say; or over what `open` makes, anew at every dial. */
export function connectOver(
  options: ConnectionOptions,
  { tls, open, onHandshake }: Way & { readonly tls: TlsConnection },
): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new StreamTransport(), dnsResolveFn: nodeResolveHost })
  const way: OwnTls = { tls, open, onHandshake, ...(open && { handshakeFirst: true }) }
  return NatsConnectionImpl.connect({ tls: way, ...options })
}

/**
 * Headers that cannot be read are none. The client (nats-core 3.4) throws at a name such as `a b` while it
 * reads its socket, and reads no more until it misses its pings: one message of anybody every half a
 * minute would keep us deaf.
 */
const decodeStrictly = MsgHdrsImpl.decode
MsgHdrsImpl.decode = (bytes) => {
  try {
    return decodeStrictly(bytes)
  } catch {
    return new MsgHdrsImpl()
  }
}

/** Handed on by the client as it is, though its own type knows nothing of it. */
interface OwnTls extends Way {
  /** Its getters are asked at every dial. */
  readonly tls: TlsConnection
  readonly handshakeFirst?: true
}

/** How the client takes it for a refusal. */
export const hungUp = 'Authorization Violation: '

class StreamTransport extends NodeTransport {
  #explain: Explain = (error) => error

  override async tlsFirst(server: Dialled): Promise<TLSSocket> {
    const { open } = this.#way
    if (open === undefined)
      throw new TypeError('TLS comes first only where something else opens it')
    const stream = await this.#told(open(server))
    // The client asks its socket no more than this: whether it is encrypted.
    return Object.assign(hearErrors(stream), { encrypted: true }) as Duplex as TLSSocket
  }

  override startTLS(): Promise<TLSSocket> {
    return this.#told(this.#shakeHands())
  }

  /**
   * In TLS 1.3 a server judges our certificate when the handshake is over for us, and may hang up
   * then. The client would wait for its timeout; to what a server says it listens.
   */
  override setupHandlers(): void {
    const { socket } = this
    let reason = 'closed before it said anything'
    const heard = (): void => {
      socket.off('close', refused)
      this.#tell(undefined)
    }
    const refused = (): void => {
      this.#tell(new Error(reason))
      this.yields.push(Buffer.from(`-ERR '${hungUp}${reason}'\r\n`))
      this.signal.resolve()
    }
    socket.once('data', heard)
    socket.once('close', refused)
    socket.on('error', (error) => (reason = this.#explain(error).message))
    super.setupHandlers()
  }

  get #way(): OwnTls {
    return (this.options.tls ?? {}) as unknown as OwnTls
  }

  async #shakeHands(): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
    const { tls } = this.#way
    const secure = connect({ servername: this.tlsName, ...tls, socket: this.socket })
    this.#explain = watchHandshake(secure, tls.cert)
    secure.once('secureConnect', () => {
      // The client listens for itself from now on.
      secure.removeAllListeners()
      resolve(hearErrors(secure))
    })
    secure.on('error', (error) => reject(this.#explain(error)))
    secure.once('close', () => reject(new Error('closed during the TLS handshake')))
    return promise
  }

  async #told<T>(handshake: Promise<T>): Promise<T> {
    try {
      return await handshake
    } catch (error) {
      this.#tell(error as Error)
      throw error
    }
  }

  #tell(refusal: Error | undefined): void {
    this.#way.onHandshake?.(refusal)
  }
}

/**
 * The client takes all listeners off a socket before it destroys it. What fails then, such as words
 * written after the server had hung up, would end the process.
 */
function hearErrors<T extends Duplex>(socket: T): T {
  const remove = socket.removeAllListeners.bind(socket)
  socket.removeAllListeners = (...events) => remove(...events).on('error', () => {})
  return socket.on('error', () => {})
}
