// One connection of a program, and what is known of it while others come and go.
import { UserAuthenticationExpiredError, type Msg, type NatsConnection } from '@nats-io/nats-core'
import type { Creds } from '../../core/trust/creds.ts'
import type { Receive } from './hearings.ts'
import type { Life } from './life.ts'

/**
 * Connects; at every dial, also at those of a reconnect, `current` says with what, or refuses. `near`
 * is the server that the program is connected to already.
 */
export type Connect = (current: () => Creds, near?: string) => Promise<NatsConnection>

export interface Line {
  readonly nc: NatsConnection
  /** Of the credential with which it was dialled last. */
  readonly life: Life
  readonly isUp: boolean
  /** Resolves when the connection breaks the next time, even if it is mended afterwards. */
  readonly broken: Promise<void>
  /** Those that wait for their answers. */
  readonly requests: Set<Promise<Msg>>
  /** Who gets what is heard. */
  receive: Receive
  isClosing: boolean
}
export interface LineEvents {
  /** The server took the credential for over, and hangs up. */
  readonly onExpired: (life: Life) => void
  readonly onDown: (nc: NatsConnection) => void
  readonly onUp: (nc: NatsConnection, server: string) => void
  /** It will not come back by itself. */
  readonly onClosed: (nc: NatsConnection) => void
}

export interface Opening {
  /** Refuses when there is none to dial with. */
  readonly held: () => { readonly creds: Creds; readonly life: Life }
  readonly near?: string | undefined
  readonly receive: Receive
  readonly events: LineEvents
}

export async function openLine(connect: Connect, opening: Opening): Promise<Line> {
  const { held, near, receive, events } = opening
  let dialled = held()
  const nc = await connect(() => (dialled = held()).creds, near)
  let broken = Promise.withResolvers<void>()
  let isUp = !nc.isClosed()
  const goDown = (): void => {
    isUp = false
    broken.resolve()
  }
  void watch(nc, {
    onClosed() {
      goDown()
      events.onClosed(nc)
    },
    onExpired: () => events.onExpired(dialled.life),
    onDown() {
      goDown()
      events.onDown(nc)
    },
    onUp(server) {
      isUp = true
      broken = Promise.withResolvers()
      events.onUp(nc, server)
    },
  })
  return {
    nc,
    receive,
    requests: new Set(),
    isClosing: false,
    get broken() {
      return broken.promise
    },
    get life() {
      return dialled.life
    },
    get isUp() {
      return isUp
    },
  }
}

interface Watcher {
  readonly onExpired: () => void
  readonly onDown: () => void
  readonly onUp: (server: string) => void
  readonly onClosed: () => void
}

async function watch(
  nc: NatsConnection,
  { onExpired, onDown, onUp, onClosed }: Watcher,
): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'error' && status.error instanceof UserAuthenticationExpiredError)
      onExpired()
    if (status.type === 'disconnect') onDown()
    if (status.type === 'reconnect') onUp(status.server)
  }
  await nc.closed()
  onClosed()
}
