// The course of a program's credentials: when the next one is asked for, what follows from it, and
// what follows when there is none.
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { Refusal } from '../../core/errors.ts'
import { makeAlarm, type Alarm } from './alarm.ts'
import { makeHearings, type Hearing, type Hearings } from './hearings.ts'
import { remainingMs, startLife, systemClock, type Clock, type Life } from './life.ts'
import { openLine, type Line } from './line.ts'
import { closeLine, moveLine } from './move.ts'
import { makeOutbox, type Outbox } from './outbox.ts'
import { isDenied, isFinal } from './refusal.ts'
import type { HeldCredential, RenewalStatus, Renewing } from './renewing.ts'
import { dueMs, retryMs } from './schedule.ts'

export interface Keeper<C extends HeldCredential> {
  readonly renewing: Renewing<C>
  readonly clock: Clock
  readonly hearings: Hearings
  readonly outbox: Outbox
  readonly alarm: Alarm
  readonly end: AbortController
  held: Held<C>
  running: Promise<void> | undefined
  failures: number
  retryAtMs: number
  /** Why nobody is asked again. */
  refusal: Refusal | undefined
}
interface Held<C extends HeldCredential> {
  readonly credential: C
  readonly life: Life
  /** How much of its life it may have behind it before it is renewed. */
  readonly dueMs: number
}

/** A clock that jumps is noticed by then. */
const checkMs = 5_000
const overlapMsDefault = 2_000

/** Connects, and keeps connected until `endKeeping`. */
export async function startKeeping<C extends HeldCredential>(
  renewing: Renewing<C>,
): Promise<Keeper<C>> {
  const { clock = systemClock, credential } = renewing
  const outbox = makeOutbox()
  const keeper: Keeper<C> = {
    renewing,
    clock,
    hearings: makeHearings(clock.monotonicMs, outbox.publish),
    outbox,
    alarm: makeAlarm(),
    end: new AbortController(),
    held: hold(credential, { clock }),
    running: undefined,
    failures: 0,
    retryAtMs: 0,
    refusal: undefined,
  }
  await reopen(keeper)
  void keep(keeper)
  return keeper
}

/** The reason stays in `keeper.end.signal`. */
export async function endKeeping<C extends HeldCredential>(
  keeper: Keeper<C>,
  reason: unknown,
): Promise<void> {
  if (!keeper.end.signal.aborted) keeper.end.abort(reason)
  keeper.alarm.ring()
  // Whoever asks over the connection has to be done before it closes.
  await keeper.running?.catch(() => {})
  await keeper.outbox.line?.nc.close()
}

/** One attempt at a time. Refuses with what stood in the way; that is reported, too. */
export async function attempt<C extends HeldCredential>(
  keeper: Keeper<C>,
  isForced: boolean,
): Promise<void> {
  while (keeper.running !== undefined) await keeper.running.catch(() => {})
  keeper.running = act(keeper, isForced).finally(() => {
    keeper.running = undefined
  })
  try {
    await keeper.running
    keeper.failures = 0
  } catch (reason) {
    settle(keeper, reason)
    throw reason
  }
}

async function keep<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  const { signal } = keeper.end
  while (!signal.aborted) {
    const waitMs = untilNextMs(keeper)
    if (waitMs > 0) await keeper.alarm.wait(Math.min(waitMs, checkMs))
    // Its failure is reported already.
    else await attempt(keeper, false).catch(() => {})
  }
}

function untilNextMs<C extends HeldCredential>(keeper: Keeper<C>): number {
  const { held, failures, retryAtMs, refusal, clock, outbox } = keeper
  if (failures > 0) return retryAtMs - clock.monotonicMs()
  if (outbox.line?.nc.isClosed()) return 0
  if (refusal !== undefined) return Infinity
  return held.dueMs - held.life.elapsedMs()
}

async function act<C extends HeldCredential>(keeper: Keeper<C>, isForced: boolean): Promise<void> {
  const { held, refusal, outbox } = keeper
  keeper.end.signal.throwIfAborted()
  if (isForced && refusal !== undefined) throw refusal
  const isDue = refusal === undefined && held.life.elapsedMs() >= held.dueMs
  if (isForced || isDue) {
    keeper.held = hold(await obtain(keeper), keeper)
    report(keeper, { type: 'renewed', expiresSeconds: expiryOf(keeper.held) })
  }
  const { line } = outbox
  if (line === undefined || line.nc.isClosed()) await reopen(keeper)
  else if (line.life !== keeper.held.life) await move(keeper, line)
}

/** Over the connection while there is one; when that is too late, as at first. */
async function obtain<C extends HeldCredential>(keeper: Keeper<C>): Promise<C> {
  const { held, outbox, renewing } = keeper
  const { renew, requestAgain } = renewing
  try {
    if (outbox.line?.isUp) return await renew(held.credential, outbox.line.nc)
    requireAlive(held)
    throw new Refusal('ERR_CONNECT', 'no connection over which to renew')
  } catch (reason) {
    const isTooLate = isOver(held) || isFinal(reason)
    if (requestAgain === undefined || !isTooLate || isDenied(reason)) throw reason
    return requestAgain(held.credential)
  }
}

function hold<C extends HeldCredential>(
  credential: C,
  { clock, held }: { clock: Clock; held?: Held<C> },
): Held<C> {
  const { user, pair } = credential.creds
  const isSameKey = held === undefined || held.credential.creds.pair.publicKey === pair.publicKey
  if (!isSameKey) throw new TypeError(`renewed for another key: ${pair.publicKey}`)
  const life = startLife(user.claims, clock)
  return { credential, life, dueMs: dueMs(life.lengthMs, Math.random()) }
}

function isOver<C extends HeldCredential>({ life }: Held<C>): boolean {
  return remainingMs(life) <= 0
}

/** What every dial goes through, also those of a reconnect. */
function requireAlive<C extends HeldCredential>(held: Held<C>): Held<C> {
  if (!isOver(held)) return held
  const { sub, exp } = held.credential.creds.user.claims
  throw new Refusal('ERR_JWT_EXPIRED', `credential of ${sub} is over since ${exp}`)
}

function expiryOf<C extends HeldCredential>({ credential }: Held<C>): number | undefined {
  return credential.creds.user.claims.exp
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
      onDown: (nc) => isCurrent(nc) && report(keeper, { type: 'disconnected' }),
      onUp: (nc, server) => isCurrent(nc) && report(keeper, { type: 'reconnected', server }),
      onClosed: (nc) => isCurrent(nc) && alarm.ring(),
    },
  })
}

/** On a new connection after the old one is gone. */
async function reopen<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  const { hearings, outbox } = keeper
  const before = outbox.line
  const line = await open(keeper)
  if (before !== undefined) {
    hearings.close(before)
    await hearings.leave(before)
  }
  hearings.join(line)
  outbox.release(line)
  if (before !== undefined) report(keeper, { type: 'reconnected', server: line.nc.getServer() })
}

async function move<C extends HeldCredential>(keeper: Keeper<C>, old: Line): Promise<void> {
  const { hearings, outbox, clock, held, end, renewing } = keeper
  const overlapMs = Math.min(renewing.overlapMs ?? overlapMsDefault, held.life.lengthMs / 10)
  const { signal } = end
  const nowMs = clock.monotonicMs
  const fresh = await open(keeper, old.nc.getServer())
  try {
    await moveLine(old, fresh, { hearings, outbox, handOn, overlapMs, nowMs, signal })
  } catch (reason) {
    await fresh.nc.close()
    throw reason
  }
  await closeLine(old)
  report(keeper, { type: 'moved', server: fresh.nc.getServer() })
}

/** A callback that throws does so by itself: the others are handed on what they are to hear. */
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

function settle<C extends HeldCredential>(keeper: Keeper<C>, reason: unknown): void {
  const { held, outbox, clock, renewing } = keeper
  if (keeper.end.signal.aborted) return
  if (keeper.refusal === undefined && isFinal(reason)) {
    keeper.refusal = reason
    report(keeper, { type: 'refused', reason })
  }
  const isHopeless = keeper.refusal !== undefined || renewing.requestAgain === undefined
  if (isHopeless && isOver(held) && !outbox.line?.isUp) {
    report(keeper, { type: 'ended', reason: keeper.refusal ?? reason })
    void endKeeping(keeper, keeper.refusal ?? reason)
    return
  }
  if (reason === keeper.refusal) return
  keeper.failures += 1
  const waitMs = retryMs(keeper.failures, remainingMs(held.life), Math.random())
  keeper.retryAtMs = clock.monotonicMs() + waitMs
  report(keeper, { type: 'failed', reason, retryMs: waitMs })
}

function report<C extends HeldCredential>({ renewing }: Keeper<C>, status: RenewalStatus): void {
  renewing.onStatus?.(status)
}
