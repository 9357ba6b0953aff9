// One kind of transport for every connection of a process. The client keeps the factory of transports
// in one place for all of them, and asks it again at every reconnect: its own `wsconnect` beside
// `connect` would dial one connection's server in the way of the other.
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { ConnectionOptions, NatsConnection, TlsOptions } from '@nats-io/nats-core'
import { MsgHdrsImpl, NatsConnectionImpl, setTransportFactory } from '@nats-io/nats-core/internal'
import { nodeResolveHost, NodeTransport } from '@nats-io/transport-node/lib/node_transport.js'

/** What is dialled: a name only where it was one. */
export interface Dialled {
  readonly hostname: string
  readonly port: number
  readonly tlsName: string
}

/** Resolves when NATS can be spoken: encrypted, and with a peer that is the right one. */
export type OpenStream = (server: Dialled) => Promise<Duplex>

/** Over TCP, with TLS as the options say; or over what `open` makes, anew at every dial. */
export function connectOver(
  options: ConnectionOptions,
  open: OpenStream | undefined,
): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new StreamTransport(), dnsResolveFn: nodeResolveHost })
  return NatsConnectionImpl.connect(open === undefined ? options : { ...options, tls: over(open) })
}

/**
 * Headers that cannot be read are none. The client (nats-core 3.4) throws at a name such as `a b` while it
 * reads its socket, and then reads no more: one message of anybody would make us deaf for good.
 */
const decodeStrictly = MsgHdrsImpl.decode
MsgHdrsImpl.decode = (bytes) => {
  try {
    return decodeStrictly(bytes)
  } catch {
    return new MsgHdrsImpl()
  }
}

interface Opened {
  readonly open?: OpenStream
}

const over = (open: OpenStream): TlsOptions & Opened => ({ handshakeFirst: true, open })

class StreamTransport extends NodeTransport {
  override async tlsFirst(server: Dialled): Promise<TLSSocket> {
    const { open } = this.options.tls as Opened
    if (open === undefined) return super.tlsFirst(server)
    // The client asks its socket no more than this: whether it is encrypted.
    return Object.assign(await open(server), { encrypted: true }) as Duplex as TLSSocket
  }
}
