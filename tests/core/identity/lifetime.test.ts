import test from 'ava'
import fc from 'fast-check'
import {
  isIntermediateDue,
  isLeafDue,
  renewAtMs,
  retryMs,
} from '../../../core/identity/lifetime.ts'

const hourMs = 3_600_000
const minuteMs = 60_000
/** Issued at 0, backdated by a minute. */
const leaf = { notBeforeMs: -minuteMs, notAfterMs: hourMs }

const renewals: readonly [random: number, minutes: number][] = [
  [0, 27],
  [0.5, 30],
  [1, 33],
]
for (const [random, minutes] of renewals)
  test(`a leaf of an hour is renewed after ${minutes} minutes where the draw is ${random}`, (t) => {
    t.is(Math.round(renewAtMs(leaf, random)), minutes * minuteMs)
  })

test('a leaf of seconds is not due when it was just issued', (t) => {
  const short = { notBeforeMs: -minuteMs, notAfterMs: 4_000 }
  t.false(isLeafDue(short, 0))
  t.false(isLeafDue(short, 1_799, 0))
  t.true(isLeafDue(short, 2_001))
})

test('a leaf that begins in the future is due: no peer would take it', (t) => {
  t.true(isLeafDue(leaf, -10 * minuteMs))
})

test('a leaf that has ended is due', (t) => {
  t.true(isLeafDue(leaf, 100 * hourMs))
})

test('a try comes after no more than a bound that doubles, up to a minute', (t) => {
  const bounds = [0, 1, 2, 5, 6, 50].map((failures) =>
    retryMs(failures, { random: 1, lifeMs: hourMs }),
  )
  t.deepEqual(bounds, [1_000, 2_000, 4_000, 32_000, 60_000, 60_000])
  t.is(retryMs(3, { random: 0, lifeMs: hourMs }), 0)
})

test('a try is never later than a sixteenth of a life', (t) => {
  const nat = fc.nat({ max: 1000 })
  fc.assert(
    fc.property(nat, fc.double({ min: 0, max: 1, noNaN: true }), nat, (failures, random, life) => {
      const waitMs = retryMs(failures, { random, lifeMs: life * 1000 })
      return waitMs >= 0 && waitMs <= (life * 1000) / 16
    }),
  )
  t.pass()
})

test('an authority is due with 30 days left', (t) => {
  const dayMs = 24 * hourMs
  const authority = { notBeforeMs: 0, notAfterMs: 90 * dayMs }
  t.false(isIntermediateDue(authority, 60 * dayMs - 1))
  t.true(isIntermediateDue(authority, 60 * dayMs))
})
