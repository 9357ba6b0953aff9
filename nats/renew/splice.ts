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
  /** Bytes of the payloads that are held back. */
  readonly heldBytes: number
  /** Hands on what was held back, except for the copies; returns what is to hear the fresh one now. */
  cut(): Receive
}

/** So many times the skew a copy is still waited for. */
const graceSkews = 4

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
      heldBytes += msg.data.length
    },
    get heldBytes() {
      return heldBytes
    },
    cut() {
      const { copies, expected } = tellCopies(tallies, { fresh, skewMs, untilMs: nowMs() })
      for (const { hearing, msg, key } of held) if (!takeOne(copies, key)) handOn(hearing, msg)
      return exceptFor(expected, { handOn, nowMs, untilMs: nowMs() + graceSkews * skewMs })
    },
  }
}

type Counts = Map<string, number>

/** How many of the held messages the old connection heard too, and how many copies are to come. */
function tellCopies(
  tallies: ReadonlyMap<string, Tally>,
  { fresh: line, skewMs, untilMs }: { fresh: NatsConnection; skewMs: number; untilMs: number },
) {
  const copies: Counts = new Map()
  const expected: Counts = new Map()
  for (const [key, { hearing, old, fresh }] of tallies) {
    const sinceMs = hearing.on.get(line)?.sinceMs ?? untilMs
    const { early, both } = align(old, fresh, { sinceMs, untilMs })
    const late = old.length - early - both
    // The fresh one heard it more often, although the old one was there all the time: a server
    // repeated it. nats-server 2.15 does so when a queue member leaves: what was on its way there is
    // sent on to another member's server, and plain subscriptions there hear it for a second time.
    const again =
      old.length === 0 ? 0 : fresh.slice(both).filter((time) => time < untilMs - skewMs).length
    if (both + again > 0) copies.set(key, both + again)
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
