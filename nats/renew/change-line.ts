// Which connection a program is on, and how it comes to the next.
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { requireAlive, sayEnded } from './held.ts'
import type { Hearing } from './hearings.ts'
import { report, type Keeper } from './keeper.ts'
import { remainingMs, type Life } from './life.ts'
import { openLine, type Line } from './line.ts'
import { closeLine, moveLine } from './move.ts'
import type { HeldCredential } from './renewing.ts'

const overlapMsDefault = 2_000

/** Refuses a credential that is over. */
export async function openFirstLine<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  const line = await open(keeper)
  keeper.hearings.join(line)
  keeper.outbox.release(line)
}

/** To a connection of the newest credential, if the present one is not of it or is gone. */
export async function changeLine<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  const line = keeper.outbox.line as Line
  if (line.nc.isClosed()) await replace(keeper, line)
  else if (line.life !== keeper.held.life) await move(keeper, line)
}

async function replace<C extends HeldCredential>(keeper: Keeper<C>, gone: Line): Promise<void> {
  const { hearings, outbox } = keeper
  const line = await open(keeper)
  hearings.close(gone)
  await hearings.leave(gone)
  hearings.join(line)
  outbox.release(line)
  report(keeper, { type: 'reconnected', server: line.nc.getServer() })
}

async function move<C extends HeldCredential>(keeper: Keeper<C>, old: Line): Promise<void> {
  const { hearings, outbox, clock, held, end, renewing } = keeper
  const overlapMs = Math.min(renewing.overlapMs ?? overlapMsDefault, held.life.lengthMs / 10)
  const { signal } = end
  const fresh = await open(keeper, old.nc.getServer())
  try {
    const nowMs = clock.monotonicMs
    await moveLine(old, fresh, { hearings, outbox, handOn, overlapMs, nowMs, signal })
  } catch (reason) {
    await fresh.nc.close()
    throw reason
  }
  await closeLine(old, signal)
  report(keeper, { type: 'moved', server: fresh.nc.getServer() })
}

function open<C extends HeldCredential>(keeper: Keeper<C>, near?: string): Promise<Line> {
  const { renewing, outbox, alarm } = keeper
  const isCurrent = (nc: NatsConnection): boolean => outbox.line?.nc === nc
  return openLine(renewing.connect, {
    held: () => {
      const { credential, life } = requireAlive(keeper.held)
      return { creds: credential.creds, life }
    },
    near,
    receive: handOn,
    events: {
      onExpired: (life) => endEarly(keeper, life),
      onDown: (nc) => isCurrent(nc) && report(keeper, { type: 'disconnected' }),
      onUp: (nc, server) => isCurrent(nc) && report(keeper, { type: 'reconnected', server }),
      onClosed: (nc) => isCurrent(nc) && alarm.ring(),
    },
  })
}

/** By a clock that is ahead of this one; what follows is as at the end by this one. */
function endEarly<C extends HeldCredential>(keeper: Keeper<C>, life: Life): void {
  const { held, alarm } = keeper
  if (remainingMs(life) > 0 && life === held.life)
    report(keeper, { type: 'failed', reason: sayEnded(held, 'a server says that the'), retryMs: 0 })
  life.end()
  alarm.ring()
}

/** What a callback throws is its program's, and keeps nobody else from hearing. */
function handOn({ on, callback }: Hearing, msg: Msg): void {
  if (on.size === 0) return
  try {
    callback(null, msg)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
