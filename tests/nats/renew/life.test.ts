import test from 'ava'
import { remainingMs, startLife, type Clock } from '../../../nats/renew/life.ts'

const iat = 1_000_000
const claims = { iat, exp: iat + 100 }

/** Both clocks, and by how much the one on the wall is wrong. */
function makeClock(wrongMs = 0): Clock & { pass(ms: number): void; sleep(ms: number): void } {
  const at = { monotonicMs: 5_000, wallMs: iat * 1000 + wrongMs }
  return {
    monotonicMs: () => at.monotonicMs,
    wallMs: () => at.wallMs,
    pass(ms) {
      at.monotonicMs += ms
      at.wallMs += ms
    },
    sleep(ms) {
      at.wallMs += ms
    },
  }
}

test('a life is as long as its credential says, and passes with time', (t) => {
  const clock = makeClock()
  const life = startLife(claims, clock)
  t.is(life.lengthMs, 100_000)
  clock.pass(30_000)
  t.is(life.elapsedMs(), 30_000)
  t.is(remainingMs(life), 70_000)
})

test('a credential that was kept for a while has this behind it', (t) => {
  const clock = makeClock()
  clock.pass(40_000)
  t.is(remainingMs(startLife(claims, clock)), 60_000)
})

test('a life passes while the laptop sleeps', (t) => {
  const clock = makeClock()
  const life = startLife(claims, clock)
  clock.sleep(3_600_000)
  t.true(remainingMs(life) < 0)
})

test('a life passes although the clock on the wall is set back', (t) => {
  const clock = makeClock()
  const life = startLife(claims, clock)
  clock.sleep(-3_600_000)
  clock.pass(60_000)
  t.is(remainingMs(life), 40_000)
})

test('a credential from the future begins its life when it is received', (t) => {
  const clock = makeClock(-7_200_000)
  const life = startLife(claims, clock)
  clock.pass(10_000)
  t.is(remainingMs(life), 90_000)
})

test('a credential without an end lives on', (t) => {
  t.is(remainingMs(startLife({ iat }, makeClock())), Infinity)
})
