// Make before break: from one connection to the next, with all that is heard, sent and asked.
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '../../core/errors.ts'
import type { Hearings, Receive } from './hearings.ts'
import type { Line } from './line.ts'
import type { Outbox } from './outbox.ts'
import { spareMs, startSplice, type Splice } from './splice.ts'

export interface Move {
  readonly hearings: Hearings
  readonly outbox: Outbox
  readonly handOn: Receive
  readonly overlapMs: number
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

/** What is held back on the fresh line may fill this much memory; then the overlap ends. */
const heldBytesMax = 64 * 1024 * 1024
const stepMs = 50
const leaveMs = 2_000
/** Between what was sent over one server and what is sent over another. */
const settleMs = 50

/** Refuses when the fresh line breaks meanwhile; then everything is as before. */
export async function moveLine(old: Line, fresh: Line, move: Move): Promise<void> {
  const { hearings, outbox, handOn, overlapMs, nowMs } = move
  const splice = startSplice({ fresh: fresh.nc, graceMs: overlapMs, handOn, nowMs })
  const before = old.receive
  old.receive = (hearing, msg) => {
    splice.hearOld(hearing, msg)
    before(hearing, msg)
  }
  fresh.receive = splice.hearFresh
  hearings.join(fresh)
  try {
    await Promise.race([fresh.nc.flush(), fresh.broken])
    await overlap(old, fresh, { ...move, splice })
  } catch (error) {
    old.receive = before
    hearings.close(fresh)
    await hearings.leave(fresh)
    throw error
  }
  if (old.isUp) await leaveQueues(old, hearings)
  hearings.close(old)
  outbox.hold()
  if (old.isUp) await within(leaveMs, leaveLine(old, hearings))
  fresh.receive = splice.cut()
  if (old.nc.info?.server_id !== fresh.nc.info?.server_id) await delay(settleMs)
  outbox.release(fresh)
}

/** Ends early when the old line breaks: it has heard its last, and the fresh one goes on from there. */
async function overlap(
  old: Line,
  fresh: Line,
  { hearings, overlapMs, nowMs, signal, splice }: Move & { splice: Splice },
): Promise<void> {
  const startedMs = nowMs()
  let isOldBroken = !old.isUp
  let isFreshBroken = !fresh.isUp
  void old.broken.then(() => (isOldBroken = true))
  void fresh.broken.then(() => (isFreshBroken = true))
  const untilMs = (): number =>
    Math.min(Math.max(startedMs, hearings.addedMs) + overlapMs, startedMs + 3 * overlapMs)
  while (!isOldBroken && !isFreshBroken && splice.heldBytes < heldBytesMax) {
    const left = untilMs() - nowMs()
    if (left <= 0) break
    await Promise.race([delay(Math.min(left, stepMs)), old.broken, fresh.broken])
    signal.throwIfAborted()
  }
  if (isFreshBroken) throw new Refusal('ERR_CONNECT', 'the next connection broke before its turn')
}

/** Before the rest, so that what the server repeats then is told from what only the fresh line heard. */
async function leaveQueues(line: Line, hearings: Hearings): Promise<void> {
  if (!hearings.hasQueue) return
  await within(leaveMs, hearings.leave(line, 'queue'))
  await delay(spareMs + stepMs)
}

/** Everything that the old line sent is with its server, and everything that it was to hear is here. */
async function leaveLine(line: Line, hearings: Hearings): Promise<void> {
  await hearings.leave(line)
  await line.nc.flush()
}

/** When its answers are there, or will not be any more. */
export async function closeLine(line: Line): Promise<void> {
  await Promise.race([Promise.allSettled(line.requests), line.nc.closed()])
  if (line.nc.isClosed()) return
  line.isClosing = true
  if (line.isUp) await within(leaveMs, line.nc.flush())
  await line.nc.close()
}

async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = delay(ms, undefined, { signal: timer.signal, ref: false })
  await Promise.race([done, late]).catch(() => {})
  timer.abort()
  await late.catch(() => {})
}
