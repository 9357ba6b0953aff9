import test from 'ava'
import fc from 'fast-check'
import type { Msg, NatsConnection, Subscription } from '../../../nats/connect.ts'
import type { Hearing } from '../../../nats/renew/hearings.ts'
import { startSplice } from '../../../nats/renew/splice.ts'

const [startMs, sinceMs, untilMs, endMs] = [700, 1_000, 2_000, 3_000]
const skewMs = 100
const leftMs = untilMs - 1.5 * skewMs
const fresh = {} as NatsConnection

interface Sent {
  readonly publisher: number
  readonly sentMs: number
  readonly text: string
}
interface Arrival {
  readonly atMs: number
  readonly on: 'old' | 'fresh'
  readonly text: string
}

/** What a program is handed on of all that arrives, while the one connection follows the other. */
function play(arrivals: readonly Arrival[], queue?: string): string[] {
  const handed: string[] = []
  let now = 0
  const subscription = {} as Subscription
  const hearing: Hearing = {
    id: 1,
    subject: 'news',
    ...(queue !== undefined && { queue }),
    callback: () => {},
    on: new Map([[fresh, { subscription, sinceMs }]]),
  }
  const handOn = (_: Hearing, msg: Msg): void => void handed.push(msg.string())
  const splice = startSplice({ fresh, skewMs, handOn, nowMs: () => now })
  const hear = ({ atMs, on, text }: Arrival, heardAfter = splice.hearFresh): void => {
    now = atMs
    const msg = messageOf(text)
    if (on === 'fresh') return heardAfter(hearing, msg)
    splice.hearOld(hearing, msg)
    handOn(hearing, msg)
  }
  const inTime = arrivals.toSorted((one, other) => one.atMs - other.atMs)
  for (const arrival of inTime) {
    if (now < leftMs && arrival.atMs >= leftMs) {
      now = leftMs
      splice.leaveQueues()
    }
    if (arrival.atMs < sinceMs - skewMs) handed.push(arrival.text)
    else if (arrival.atMs <= untilMs) hear(arrival)
  }
  now = untilMs
  const hearLast = splice.cut()
  for (const arrival of inTime) if (arrival.atMs > untilMs) hear(arrival, hearLast)
  return handed
}

function messageOf(text: string): Msg {
  const data = Buffer.from(text)
  return { subject: 'news', reply: '', data, string: () => text } as unknown as Msg
}

const both = (text: string, atMs: number): Arrival[] => [
  { text, atMs, on: 'old' },
  { text, atMs: atMs + 1, on: 'fresh' },
]

for (const { what, arrivals, handed } of [
  { what: 'heard on both is handed on once', arrivals: both('a', 1_500), handed: ['a'] },
  {
    what: 'of the same bytes, sent twice, is handed on twice',
    arrivals: [...both('a', 1_500), ...both('a', 1_700)],
    handed: ['a', 'a'],
  },
  {
    what: 'heard by the old one alone is handed on, and another one of the same bytes later',
    arrivals: [
      { text: 'a', atMs: 1_001, on: 'old' } as const,
      { text: 'a', atMs: 2_100, on: 'fresh' } as const,
    ],
    handed: ['a', 'a'],
  },
  {
    what: 'whose copy comes after the old one is gone is handed on once',
    arrivals: [
      { text: 'a', atMs: 1_990, on: 'old' } as const,
      { text: 'a', atMs: 2_050, on: 'fresh' } as const,
    ],
    handed: ['a'],
  },
  {
    what: 'that a server repeats when queue members leave is handed on once',
    arrivals: [...both('a', 1_840), { text: 'a', atMs: leftMs + 1, on: 'fresh' } as const],
    handed: ['a'],
  },
  {
    what: 'of the same bytes that the old one missed is handed on',
    arrivals: [...both('a', 1_500), { text: 'a', atMs: 1_600, on: 'fresh' } as const],
    handed: ['a', 'a'],
  },
  {
    what: 'that only the fresh one heard follows when the old one is gone',
    arrivals: [...both('a', 1_900), { text: 'b', atMs: 1_999, on: 'fresh' } as const],
    handed: ['a', 'b'],
  },
])
  test(`a message ${what}`, (t) => {
    t.deepEqual(play(arrivals), handed)
  })

test('a queue group is heard on both connections, and nothing is taken for a copy', (t) => {
  const arrivals = [...both('a', 1_500), ...both('b', 1_600)]
  t.deepEqual(play(arrivals, 'workers'), ['a', 'a', 'b', 'b'])
})

test('whatever arrives when, all is handed on once, and in the order of its publisher', (t) => {
  const publishers = fc.array(
    fc.record({
      pausesMs: fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 5, maxLength: 60 }),
      toOldMs: fc.integer({ min: 0, max: 40 }),
      toFreshMs: fc.integer({ min: 0, max: 40 }),
      spreadMs: fc.integer({ min: 0, max: 500 }),
      beatsMs: fc.integer({ min: 150, max: 400 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  fc.assert(
    fc.property(publishers, (publishers) => {
      const sent = publishers.flatMap((each, publisher) => sentBy(publisher, each))
      const arrivals = sent.flatMap(({ publisher, sentMs, text }): Arrival[] => {
        const { toOldMs, toFreshMs, spreadMs } = publishers[publisher] as (typeof publishers)[0]
        const [old, fresh] = [sentMs + toOldMs, sentMs + toFreshMs]
        return [
          ...(old <= untilMs ? [{ text, atMs: old, on: 'old' as const }] : []),
          ...(fresh >= sinceMs + spreadMs ? [{ text, atMs: fresh, on: 'fresh' as const }] : []),
        ]
      })
      const handed = play(arrivals)
      for (const publisher of publishers.keys()) {
        const own = (text: string): boolean => text.startsWith(`${publisher} `)
        const texts = sent.map(({ text }) => text)
        t.deepEqual(handed.filter(own), texts.filter(own))
      }
    }),
  )
})

/** Numbered messages, and between them the same one again and again. */
function sentBy(
  publisher: number,
  { pausesMs, beatsMs }: { pausesMs: readonly number[]; beatsMs: number },
): Sent[] {
  const sent: Sent[] = []
  let time = startMs
  for (const [number, pauseMs] of pausesMs.entries()) {
    time += pauseMs
    if (time < endMs) sent.push({ publisher, sentMs: time, text: `${publisher} ${number}` })
  }
  for (let time = startMs; time < endMs; time += beatsMs)
    sent.push({ publisher, sentMs: time, text: `${publisher} beat` })
  return sent.toSorted((one, other) => one.sentMs - other.sentMs)
}
