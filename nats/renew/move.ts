// Make before break: from one connection to the next, with all that is heard, sent and asked.
import { Refusal } from '../../core/errors.ts'
import type { Hearings, Receive } from './hearings.ts'
import type { Line } from './line.ts'
import type { Outbox } from './outbox.ts'
import { startSplice, type Splice } from './splice.ts'
import { pause, within } from './within.ts'

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
const stepMs = 25
const leaveMs = 2_000
/** Between what was sent over one server and what is sent over another. */
const settleMs = 50

/** Refuses when the fresh line breaks meanwhile; then everything is as before. */
export async function moveLine(old: Line, fresh: Line, move: Move): Promise<void> {
  const { hearings, overlapMs, signal } = move
  const skewMs = overlapMs / 4
  const splice = startSplice({ ...move, fresh: fresh.nc, skewMs })
  const before = old.receive
  old.receive = (hearing, msg) => {
    splice.hearOld(hearing, msg)
    before(hearing, msg)
  }
  await pause(skewMs, signal)
  fresh.receive = splice.hearFresh
  hearings.join(fresh)
  try {
    await overlap(old, fresh, { ...move, splice })
  } catch (reason) {
    old.receive = before
    hearings.close(fresh)
    await within(0, hearings.leave(fresh))
    throw reason
  }
  await handOver(old, fresh, { ...move, splice, skewMs })
}

type Handover = Move & { readonly splice: Splice; readonly skewMs: number }

async function handOver(old: Line, fresh: Line, handover: Handover): Promise<void> {
  const { hearings, outbox, handOn, signal, splice, skewMs } = handover
  if (old.isUp && hearings.hasQueue) {
    splice.leaveQueues()
    await within(leaveMs, hearings.leave(old, 'queue'))
    await pause(skewMs * 1.5, signal)
  }
  hearings.close(old)
  outbox.hold()
  await within(old.isUp ? leaveMs : 0, leaveAll(old, hearings))
  // Whatever of a plain subscription comes this late was heard on the fresh line.
  old.receive = (hearing, msg) => hearing.queue !== undefined && handOn(hearing, msg)
  fresh.receive = splice.cut()
  if (old.nc.info?.server_id !== fresh.nc.info?.server_id) await pause(settleMs, signal)
  outbox.release(fresh)
}

/** Ends early when the old line breaks: it has heard its last, and the fresh one goes on from there. */
async function overlap(
  old: Line,
  fresh: Line,
  { hearings, overlapMs, nowMs, signal, splice }: Move & { splice: Splice },
): Promise<void> {
  const startedMs = nowMs()
  const lost = { old: !old.isUp, fresh: !fresh.isUp }
  const broken = Promise.race([
    old.broken.then(() => (lost.old = true)),
    fresh.broken.then(() => (lost.fresh = true)),
  ])
  const leftMs = (): number => {
    const longestMs = startedMs + 3 * overlapMs
    return Math.min(Math.max(startedMs, hearings.addedMs) + overlapMs, longestMs) - nowMs()
  }
  await Promise.race([fresh.nc.flush(), broken])
  while (!lost.old && !lost.fresh && leftMs() > 0 && splice.heldBytes < heldBytesMax) {
    await Promise.race([pause(stepMs, signal), broken])
    signal.throwIfAborted()
  }
  if (lost.fresh) throw new Refusal('ERR_CONNECT', 'the next connection broke before its turn')
}

/** Everything that the old line sent is with its server, and everything that it was to hear is here. */
async function leaveAll(line: Line, hearings: Hearings): Promise<void> {
  await hearings.leave(line)
  await line.nc.flush()
}

/** When its answers are there, or will not be any more. */
export async function closeLine(line: Line, signal: AbortSignal): Promise<void> {
  const { nc, requests } = line
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
  await Promise.race([Promise.allSettled(requests), nc.closed(), signal.aborted || aborted])
  line.isClosing = true
  if (line.isUp) await within(leaveMs, nc.flush())
  await nc.close()
}
