// The function's connection to its leafnode server. A TLS connection outlives its certificate, so where
// that is renewed the connection is made anew: the next one serves before the present one leaves.
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { within } from '../../nats/renew/within.ts'
import type { Health } from './health.ts'

export interface Linking {
  readonly connect: () => Promise<NatsConnection>
  /** Takes part in the queues over this connection, until it is disposed. */
  readonly join: (nc: NatsConnection) => Health
}
/** Its health is that of the present connection. */
export interface Link extends Health {
  /** Rejects where the next connection does not serve as the present one does, which then stays. */
  renew(): Promise<void>
}

// By then the server has taken the new subscriptions, and the requests that it gave the old ones are here.
const overlapMs = 200
const readyMsMax = 5_000
const leaveMsMax = 5_000

/** Serves over the first connection. */
export function openLink(first: Line, { connect, join }: Linking): Link {
  let line = first
  return {
    ready: first.health.ready,
    get problem() {
      return line.health.problem
    },
    async renew() {
      const nc = await connect()
      const next = { nc, health: join(nc) }
      const failure = await failureOf(next, line)
      if (failure !== undefined) {
        await leave(next)
        throw failure
      }
      const before = line
      line = next
      await delay(overlapMs)
      await leave(before)
    },
    [Symbol.asyncDispose]: () => leave(line),
  }
}

/** A connection, and the work that is done over it. */
export interface Line {
  readonly nc: NatsConnection
  readonly health: Health
}

/** Where the function does not serve for a reason of its own, the connection is not at fault. */
async function failureOf({ nc, health }: Line, present: Line): Promise<Refusal | undefined> {
  await within(readyMsMax, health.ready)
  const { problem } = health
  if (problem !== undefined && present.health.problem === undefined)
    return new Refusal('ERR_CONNECT', `does not serve over a new connection: ${problem}`)
  await within(readyMsMax, nc.flush())
  return nc.isClosed() ? new Refusal('ERR_CONNECT', 'the new connection broke') : undefined
}

/** What came over it is answered, unless the server is gone. */
async function leave({ nc, health }: Line): Promise<void> {
  const leaving = async (): Promise<void> => {
    await health[Symbol.asyncDispose]()
    await nc.drain()
  }
  await within(leaveMsMax, leaving())
  await nc.close()
}
