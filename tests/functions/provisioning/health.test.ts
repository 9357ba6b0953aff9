import test from 'ava'
import { keepHealthy } from '../../../functions/provisioning/health.ts'
import { until } from '../../until.ts'

/** Goes through checks that succeed (+) or fail (-), and writes between them what was done. */
async function run(checks: string): Promise<{ done: string; reported: string[] }> {
  const [all, reported]: [string[], string[]] = [[], []]
  let at = 0
  const health = keepHealthy({
    check: () => {
      const check = checks[at]
      if (check === undefined) return Promise.resolve()
      at += 1
      all.push(check)
      return check === '+' ? Promise.resolve() : Promise.reject(new Error('why'))
    },
    join: async () => void all.push(at === checks.length ? 'end' : 'join'),
    leave: () => void all.push('leave'),
    report: (line) => void reported.push(line),
    intervalMs: 1,
  })
  await until('all checks were made', () => at === checks.length)
  await health[Symbol.asyncDispose]()
  return { done: all.join(' '), reported }
}

for (const [what, checks, done, reported] of [
  ['joins after its first success', '-+-', '- + join -', ['does not serve: why', 'is serving']],
  ['forgives one failure', '+-+-+-', '+ join - + - + -', ['is serving']],
  ['leaves after two in a row', '+--', '+ join - - leave', ['is serving', 'does not serve: why']],
  ['leaves once', '+----', '+ join - - leave - -', ['is serving', 'does not serve: why']],
  [
    'comes back after one success',
    '+--+-',
    '+ join - - leave + join -',
    ['is serving', 'does not serve: why', 'is serving'],
  ],
] as const)
  test(`a function ${what}`, async (t) => {
    const seen = await run(checks)
    t.is(seen.done.replace(/ end$/, ''), done)
    t.deepEqual(seen.reported.slice(0, reported.length), [...reported])
  })

test('joins by what was known before, and checks at once', async (t) => {
  const all: string[] = []
  const health = keepHealthy({
    firstCheck: async () => void all.push('known'),
    check: async () => void all.push('check'),
    join: async () => void all.push('join'),
    leave: () => {},
    report: () => {},
    intervalMs: 60_000,
  })
  await until('it was checked', () => all.length === 3)
  await health[Symbol.asyncDispose]()
  t.deepEqual(all, ['known', 'join', 'check'])
})

test('says that it is starting, why it does not serve, and nothing while it does', async (t) => {
  const checks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let at = 0
  const health = keepHealthy({
    check: () => checks[at++]?.promise ?? Promise.resolve(),
    join: () => Promise.resolve(),
    leave: () => {},
    report: () => {},
    intervalMs: 1,
  })
  t.is(health.problem, 'starting')
  checks[0]?.reject(new Error('why'))
  await until('it failed', () => health.problem === 'why')
  checks[1]?.resolve()
  await health.ready
  t.is(health.problem, undefined)
  await health[Symbol.asyncDispose]()
})

test('is ready for its end when it never served', async (t) => {
  const health = keepHealthy({
    check: () => Promise.reject(new Error('why')),
    join: () => Promise.resolve(),
    leave: () => {},
    report: () => {},
    intervalMs: 1,
  })
  await health[Symbol.asyncDispose]()
  await t.notThrowsAsync(health.ready)
})
