import test from 'ava'
import { keepRenewed, type RenewalWork } from '../../../laptop/identity/keep-renewed.ts'
import { until } from '../../until.ts'

const lifeMs = 400
const minuteMs = 60_000

/** Processes whose certificates live only in memory, and a clock that the test moves. */
function makeWork(names: readonly string[]) {
  const clock = { ms: 1_000_000 }
  const log: string[] = []
  const lines: string[] = []
  const broken = new Set<string>()
  const lives = new Map(names.map((name) => [name, lifeFrom(clock.ms)]))
  const unserved = new Set<string>()
  const work: RenewalWork = {
    names: () => names,
    life: (name) => lives.get(name),
    renew: (name) => {
      log.push(`renew ${name}`)
      lives.set(name, lifeFrom(clock.ms))
      unserved.add(name)
      return Promise.resolve()
    },
    isServed: (name) => !unserved.has(name),
    serve: (name) => {
      log.push(`serve ${name}`)
      if (broken.has(name)) return Promise.reject(new Error('it hangs'))
      unserved.delete(name)
      return Promise.resolve()
    },
  }
  const start = (random = () => 0.5) =>
    keepRenewed(work, {
      report: (line) => lines.push(line),
      nowMs: () => clock.ms,
      random,
      lifetimeMs: () => lifeMs,
    })
  return { clock, log, lines, broken, start }
}

const lifeFrom = (ms: number) => ({ notBeforeMs: ms - minuteMs, notAfterMs: ms + lifeMs })

test('at half of its life, and not before, a certificate is renewed and then served', async (t) => {
  const { clock, log, start } = makeWork(['ams3-0'])
  await using _renewing = start()
  clock.ms += lifeMs / 2 - 1
  await looks(5)
  t.deepEqual(log, [])
  clock.ms += 1
  await until('it is served', () => log.length === 2)
  await looks(5)
  t.deepEqual(log, ['renew ams3-0', 'serve ams3-0'])
})

test('each process draws its own time', async (t) => {
  const { clock, log, start } = makeWork(['ams3-0', 'ams3-1'])
  const draws = [0, 1]
  await using _renewing = start(() => draws.shift() ?? 0.5)
  clock.ms += lifeMs / 2
  await until('the early one is renewed', () => log.includes('serve ams3-0'))
  await looks(5)
  t.false(log.includes('renew ams3-1'))
})

test('a machine that slept past the end renews everything at its first look', async (t) => {
  const { clock, log, start } = makeWork(['ams3-0', 'ams3-1', 'sfo2-0'])
  await using _renewing = start()
  clock.ms += 100 * lifeMs
  await until('all are served', () => log.length === 6)
  t.pass()
})

test('a clock that was put back renews what would begin in the future', async (t) => {
  const { clock, log, start } = makeWork(['ams3-0'])
  await using _renewing = start()
  clock.ms -= 10 * minuteMs
  await until('it is served', () => log.includes('serve ams3-0'))
  await looks(5)
  t.is(log.length, 2)
})

test('what is not served is tried again without another certificate, and its end is told', async (t) => {
  const { clock, log, lines, broken, start } = makeWork(['ams3-0', 'ams3-1'])
  broken.add('ams3-0')
  await using _renewing = start()
  clock.ms += lifeMs / 2
  await until('four tries', () => log.filter((line) => line === 'serve ams3-0').length >= 4)
  t.is(log.filter((line) => line === 'renew ams3-0').length, 1)
  t.is(log.filter((line) => line === 'serve ams3-1').length, 1)
  broken.clear()
  await until('the end is told', () => lines.at(-1) === 'ams3-0 shows new certificates')
  t.deepEqual(lines.slice(0, 2), [
    "ams3-0's certificates are not renewed: it hangs; tried 1 times",
    "ams3-0's certificates are not renewed: it hangs; tried 2 times",
  ])
})

test('when it is disposed nothing is under way any more', async (t) => {
  const { clock, log, broken, start } = makeWork(['ams3-0'])
  broken.add('ams3-0')
  {
    await using _renewing = start()
    clock.ms += lifeMs
    await until('a try', () => log.length > 1)
  }
  const { length } = log
  await looks(10)
  t.is(log.length, length)
})

/** As many as there are in that time, a fortieth of a life each. */
async function looks(count: number): Promise<void> {
  const start = performance.now()
  await until('looks', () => performance.now() - start > (count * lifeMs) / 40)
}
