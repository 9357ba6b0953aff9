import test from 'ava'
import { dueMs, retryMs } from '../../../nats/renew/schedule.ts'

for (const [chance, due] of [
  [0, 45],
  [0.5, 50],
  [1, 55],
] as const)
  test(`a credential is renewed at half of its life, give or take a tenth: ${due} %`, (t) => {
    t.is(Math.round(dueMs(100, chance)), due)
  })

for (const [failures, most] of [
  [1, 1_000],
  [2, 2_000],
  [5, 16_000],
  [50, 60_000],
] as const)
  test(`after failure ${failures} the next try comes within ${most} ms`, (t) => {
    t.true(retryMs(failures, 3_600_000, 0.999) <= most)
    t.is(retryMs(failures, 3_600_000, 0), most / 2)
  })

test('tries come closer together when little life is left, and far apart when none is', (t) => {
  t.is(retryMs(20, 8_000, 1), 2_000)
  t.is(retryMs(20, 100, 1), 250)
  t.is(retryMs(20, -1, 1), 60_000)
})
