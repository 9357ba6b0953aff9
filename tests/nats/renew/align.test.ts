import test from 'ava'
import fc from 'fast-check'
import { align } from '../../../nats/renew/align.ts'

const overlap = { sinceMs: 1_000, untilMs: 2_000 }

for (const { what, old, fresh, early = 0, both } of [
  { what: 'a message that both heard', old: [1_500], fresh: [1_501], both: 1 },
  { what: 'one that only the old one heard at first', old: [1_001], fresh: [], early: 1, both: 0 },
  { what: 'one whose copy is still on its way', old: [1_999], fresh: [], both: 0 },
  { what: 'one that came after the old one was gone', old: [], fresh: [2_001], both: 0 },
  { what: 'a copy that is slow', old: [1_010], fresh: [1_400], both: 1 },
  { what: 'a copy that is fast', old: [1_400], fresh: [1_300], both: 1 },
  {
    what: 'a beat of which the first was not heard by the fresh one',
    old: [1_002, 1_500, 1_990],
    fresh: [1_501, 1_991],
    early: 1,
    both: 2,
  },
  {
    what: 'a beat of which the last was heard by the fresh one alone',
    old: [1_200, 1_600],
    fresh: [1_201, 1_601, 2_001],
    both: 2,
  },
  {
    what: 'a beat with both',
    old: [1_001, 1_400, 1_800],
    fresh: [1_402, 1_802, 2_002],
    early: 1,
    both: 2,
  },
  {
    what: 'many at once, heard at different times',
    old: Array.from({ length: 100 }, () => 1_500),
    fresh: Array.from({ length: 100 }, (_, index) => 1_495 + index / 10),
    both: 100,
  },
])
  test(`tells ${what}`, (t) => {
    t.deepEqual(align(old, fresh, overlap), { early, both })
  })

test('a beat is told apart whatever its pauses, as long as the connections differ by less', (t) => {
  const beat = fc.array(fc.integer({ min: 60, max: 300 }), { minLength: 1, maxLength: 40 })
  const delays = fc.array(fc.integer({ min: -25, max: 25 }), { minLength: 40, maxLength: 40 })
  fc.assert(
    fc.property(beat, delays, fc.integer({ min: 0, max: 50 }), (pauses, delays, spreadMs) => {
      let time = 950
      const sent = pauses.map((pause) => (time += pause)).filter((at) => at < 2_300)
      const old = sent.filter((at) => at <= overlap.untilMs)
      const heard = sent.filter((at) => at >= overlap.sinceMs + spreadMs)
      const fresh = heard.map((at, index) => at + (delays[index] ?? 0))
      const both = heard.filter((at) => at <= overlap.untilMs).length
      const told = align(old, fresh, overlap)
      t.deepEqual(told, { early: old.length - both, both })
    }),
  )
})

test('an unbroken run of a thousand a second is told apart', (t) => {
  const sent = Array.from({ length: 1_200 }, (_, index) => 900 + index)
  const jitter = (at: number): number => at + Math.abs(Math.sin(at)) * 0.8
  const old = sent.filter((at) => at >= 1_000 && at <= 2_000).map(jitter)
  const fresh = sent.filter((at) => at >= 1_004).map((at) => jitter(at + 0.3))
  t.deepEqual(align(old, fresh, overlap), { early: 4, both: 997 })
})
