// Makes one stream of two. While both connections listen, the old one is handed on and the fresh one
// is held back; when the old one has heard its last, what only the fresh one heard follows, and then
// the fresh one by itself.
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { align } from './align.ts'
import { fingerprint } from './fingerprint.ts'
import type { Hearing, Receive } from './hearings.ts'

export interface SpliceOptions {
  readonly fresh: NatsConnection
  /** How long a copy may come after the message itself. */
  readonly graceMs: number
  readonly handOn: Receive
  readonly nowMs: () => number
}
export interface Splice {
  readonly hearOld: Receive
  readonly hearFresh: Receive
  /** Bytes of the payloads that are held back. */
  readonly heldBytes: number
  /** Hands on what was held back, except for the copies; returns what is to hear the fresh one now. */
  cut(): Receive
}

/** Of two connections neither is behind the other by more than this. */
export const spareMs = 100

interface Tally {
  readonly old: number[]
  readonly fresh: number[]
  readonly sinceMs: number
}
interface Held {
  readonly hearing: Hearing
  readonly msg: Msg
  readonly key: string
}

export function startSplice({ fresh, graceMs, handOn, nowMs }: SpliceOptions): Splice {
  const tallies = new Map<string, Tally>()
  const held: Held[] = []
  let heldBytes = 0
  const tally = (hearing: Hearing, key: string): Tally => {
    const sinceMs = hearing.on.get(fresh)?.sinceMs ?? nowMs()
    const counted = tallies.get(key) ?? { old: [], fresh: [], sinceMs }
    tallies.set(key, counted)
    return counted
  }
  return {
    hearOld(hearing, msg) {
      if (hearing.queue !== undefined) return
      const key = fingerprint(hearing.id, msg)
      tally(hearing, key).old.push(nowMs())
    },
    hearFresh(hearing, msg) {
      if (hearing.queue !== undefined) return handOn(hearing, msg)
      const key = fingerprint(hearing.id, msg)
      tally(hearing, key).fresh.push(nowMs())
      held.push({ hearing, msg, key })
      heldBytes += msg.data.length
    },
    get heldBytes() {
      return heldBytes
    },
    cut() {
      const { copies, expected } = tellCopies(tallies, nowMs())
      for (const { hearing, msg, key } of held) if (!takeOne(copies, key)) handOn(hearing, msg)
      return exceptFor(expected, { handOn, nowMs, untilMs: nowMs() + graceMs })
    },
  }
}

type Counts = Map<string, number>

/** How many of the held messages the old connection heard too, and how many copies are to come. */
function tellCopies(tallies: ReadonlyMap<string, Tally>, untilMs: number) {
  const copies: Counts = new Map()
  const expected: Counts = new Map()
  for (const [key, { old, fresh, sinceMs }] of tallies) {
    const { early, both } = align(old, fresh, { sinceMs, untilMs })
    const late = old.length - early - both
    const again = old.length === 0 ? 0 : countAgain(fresh.slice(both), untilMs)
    if (both + again > 0) copies.set(key, both + again)
    if (late > 0) expected.set(key, late)
  }
  return { copies, expected }
}

/**
 * The fresh connection heard it more often than the old one, which was there all the time: the server
 * repeated it. nats-server 2.15 does that when a queue member leaves: a message on its way to it goes on
 * to the server of another member, and plain subscriptions there hear it a second time.
 */
function countAgain(fresh: readonly number[], untilMs: number): number {
  return fresh.filter((time) => time < untilMs - spareMs).length
}

function exceptFor(
  expected: Counts,
  { handOn, nowMs, untilMs }: { handOn: Receive; nowMs: () => number; untilMs: number },
): Receive {
  return (hearing, msg) => {
    const mayBeCopy = expected.size > 0 && hearing.queue === undefined
    if (mayBeCopy && nowMs() > untilMs) expected.clear()
    else if (mayBeCopy && takeOne(expected, fingerprint(hearing.id, msg))) return
    handOn(hearing, msg)
  }
}

function takeOne(counts: Counts, key: string): boolean {
  const left = counts.get(key) ?? 0
  if (left > 1) counts.set(key, left - 1)
  else counts.delete(key)
  return left > 0
}
