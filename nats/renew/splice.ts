// Makes one stream of two. While both connections listen, the old one is handed on and the fresh one
// is held back; when the old one has heard its last, what only the fresh one heard follows, and then
// the fresh one by itself.
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { align } from './align.ts'
import { fingerprint } from './fingerprint.ts'
import type { Hearing, Receive } from './hearings.ts'

export interface SpliceOptions {
  readonly fresh: NatsConnection
  /** By how much one connection may be behind the other. */
  readonly skewMs: number
  readonly handOn: Receive
  readonly nowMs: () => number
}
export interface Splice {
  /** From `skewMs` before the fresh one listens, for that may hear what the old one heard before. */
  readonly hearOld: Receive
  readonly hearFresh: Receive
  /** What is held back, roughly. */
  readonly heldBytes: number
  /** To be told before queue subscriptions leave the old connection, more than `skewMs` before the cut. */
  leaveQueues(): void
  /** Hands on what was held back, except for the copies; returns what is to hear the fresh one now. */
  cut(): Receive
}

/** So many times the skew a copy is still waited for. */
const graceSkews = 4

/** What an empty message takes. */
const messageBytes = 256

interface Tally {
  readonly hearing: Hearing
  readonly old: number[]
  readonly fresh: number[]
}
interface Held {
  readonly hearing: Hearing
  readonly msg: Msg
  readonly key: string
}

export function startSplice({ fresh, skewMs, handOn, nowMs }: SpliceOptions): Splice {
  const tallies = new Map<string, Tally>()
  const held: Held[] = []
  let heldBytes = 0
  let leftMs = Infinity
  const tally = (hearing: Hearing, key: string): Tally => {
    const counted = tallies.get(key) ?? { hearing, old: [], fresh: [] }
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
      heldBytes += messageBytes + msg.data.length
    },
    get heldBytes() {
      return heldBytes
    },
    leaveQueues() {
      leftMs = nowMs()
    },
    cut() {
      const untilMs = nowMs()
      const isRepeated = (time: number): boolean => time >= leftMs && time < untilMs - skewMs
      const { copies, expected } = tellCopies(tallies, { fresh, untilMs, isRepeated })
      for (const { hearing, msg, key } of held) if (!takeOne(copies, key)) handOn(hearing, msg)
      return exceptFor(expected, { handOn, nowMs, untilMs: untilMs + graceSkews * skewMs })
    },
  }
}

type Counts = Map<string, number>

interface Cut {
  readonly fresh: NatsConnection
  readonly untilMs: number
  readonly isRepeated: (time: number) => boolean
}

/** How many of the held messages the old connection heard too, and how many copies are to come. */
function tellCopies(tallies: ReadonlyMap<string, Tally>, { fresh: nc, untilMs, isRepeated }: Cut) {
  const copies: Counts = new Map()
  const expected: Counts = new Map()
  for (const [key, { hearing, old, fresh }] of tallies) {
    const sinceMs = hearing.on.get(nc)?.sinceMs ?? untilMs
    const { early, both } = align(old, fresh, { sinceMs, untilMs })
    const late = old.length - early - both
    // When a queue member leaves, nats-server 2.15 sends what is on its way there on to the server of
    // another member, and plain subscriptions there hear it for a second time.
    const repeated = old.length === 0 ? 0 : fresh.slice(both).filter(isRepeated).length
    if (both + repeated > 0) copies.set(key, both + repeated)
    if (late > 0) expected.set(key, late)
  }
  return { copies, expected }
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
