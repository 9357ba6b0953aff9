// The course of a program's credentials: when the next one is asked for, what follows from it, and
// what follows when there is none.
import { changeLine, openFirstLine } from './change-line.ts'
import { isOver, succeed } from './held.ts'
import { makeKeeper, report, type Keeper } from './keeper.ts'
import { remainingMs } from './life.ts'
import { obtain } from './obtain.ts'
import { isFinal } from './refusal.ts'
import type { HeldCredential, Renewing } from './renewing.ts'
import { retryMs } from './schedule.ts'
import { within } from './within.ts'

/** A clock that jumps is noticed by then. */
const checkMs = 5_000
const flushMs = 2_000

/** Connects, and keeps connected until `endKeeping`. */
export async function startKeeping<C extends HeldCredential>(
  renewing: Renewing<C>,
): Promise<Keeper<C>> {
  const keeper = makeKeeper(renewing)
  await openFirstLine(keeper)
  void keep(keeper)
  return keeper
}

/** The reason stays in `keeper.end.signal`. */
export async function endKeeping<C extends HeldCredential>(
  keeper: Keeper<C>,
  reason?: Error,
): Promise<void> {
  const { end, alarm, outbox } = keeper
  if (!end.signal.aborted) end.abort(reason)
  alarm.ring()
  // Who asks over the connection has to be done before it closes.
  await keeper.running?.catch(() => {})
  if (outbox.line?.isUp) await within(flushMs, outbox.line.nc.flush())
  await outbox.line?.nc.close()
}

/** Does not wait for the half of the credential's life; as often as it takes. */
export async function renewNow<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  while (keeper.running !== undefined) await keeper.running.catch(() => {})
  if (keeper.refusal !== undefined) throw keeper.refusal
  keeper.isWanted = true
  await attempt(keeper)
}

/** Refuses with what stood in its way, which is reported, too. */
async function attempt<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  keeper.running = act(keeper).finally(() => {
    keeper.running = undefined
  })
  try {
    await keeper.running
    keeper.failures = 0
  } catch (reason) {
    settle(keeper, reason as Error)
    throw reason
  } finally {
    keeper.alarm.ring()
  }
}

async function keep<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  while (!keeper.end.signal.aborted) {
    const waitMs = untilNextMs(keeper)
    if (waitMs > 0) await keeper.alarm.wait(Math.min(waitMs, checkMs))
    else if (keeper.running !== undefined) await keeper.running.catch(() => {})
    // What goes wrong is reported.
    else await attempt(keeper).catch(() => {})
  }
}

function untilNextMs<C extends HeldCredential>(keeper: Keeper<C>): number {
  const { held, failures, retryAtMs, refusal, clock, outbox } = keeper
  if (failures > 0) return retryAtMs - clock.monotonicMs()
  if (outbox.line?.nc.isClosed()) return 0
  if (refusal !== undefined) return Infinity
  return held.dueMs - held.life.elapsedMs()
}

async function act<C extends HeldCredential>(keeper: Keeper<C>): Promise<void> {
  const { held, refusal, end, clock, isWanted } = keeper
  end.signal.throwIfAborted()
  const isDue = refusal === undefined && held.life.elapsedMs() >= held.dueMs
  if (isWanted || isDue) {
    const next = await obtain(keeper)
    keeper.held = succeed(held, next, clock)
    keeper.isWanted = false
    report(keeper, { type: 'renewed', expiresSeconds: next.creds.user.claims.exp })
  }
  await changeLine(keeper)
}

/** After a failure: is there another try, and when? */
function settle<C extends HeldCredential>(keeper: Keeper<C>, reason: Error): void {
  const { held, outbox, clock, renewing, end } = keeper
  if (end.signal.aborted) return
  if (keeper.refusal === undefined && isFinal(reason)) {
    keeper.refusal = reason
    keeper.isWanted = false
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
