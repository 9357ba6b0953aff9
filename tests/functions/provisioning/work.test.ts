import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { auditLine } from '../../../core/access/audit-line.ts'
import { Refusal } from '../../../core/errors.ts'
import type {
  ProvisioningAnswer,
  ProvisioningRequest,
} from '../../../functions/provision-credentials.ts'
import { openAudit } from '../../../functions/provisioning/audit.ts'
import { startWork, type Handle } from '../../../functions/provisioning/work.ts'
import { until } from '../../until.ts'

const audit = openAudit({ region: 'ams3', door: 'lobby' }, () => {})
const inHandMax = 32
const granted: ProvisioningAnswer = { isGranted: true, body: 'granted' }

const requestFrom = (source: string): ProvisioningRequest => ({
  kind: 'access',
  bytes: Buffer.alloc(0),
  caller: { trigger: 'nats', source },
})

/** Answers when it is told to, and remembers whom it was asked for. */
function makeSlowHandle() {
  const asked: string[] = []
  const answers: (() => void)[] = []
  const handle: Handle = ({ caller }) => {
    const { promise, resolve } = Promise.withResolvers<ProvisioningAnswer>()
    asked.push(caller.source)
    answers.push(() => resolve(granted))
    return promise
  }
  return { asked, answers, handle }
}

test('so many are in hand at once, and the next only when one of them is answered', async (t) => {
  const { asked, answers, handle } = makeSlowHandle()
  const work = startWork(handle, { door: 'lobby', audit })
  const all = Array.from({ length: 40 }, (_, at) => work.answer(requestFrom(`#${at}`)))
  await until('all places taken', () => asked.length >= inHandMax)
  await turn()
  t.is(asked.length, inHandMax)
  answers[0]?.()
  await until('one place free', () => asked.length > inHandMax)
  t.is(asked.length, inHandMax + 1)
  t.is(work.answered, 1)
  while (work.answered < all.length) {
    answers.forEach((answer) => answer())
    await turn()
  }
  t.deepEqual(new Set(await Promise.all(all)), new Set([granted]))
})

test('who comes from elsewhere is taken before the rest of a crowd', async (t) => {
  const { asked, answers, handle } = makeSlowHandle()
  const work = startWork(handle, { door: 'lobby', audit })
  for (let at = 0; at < 40; at++) void work.answer(requestFrom('crowd'))
  await until('all places taken', () => asked.length === inHandMax)
  void work.answer(requestFrom('other'))
  answers.slice(0, 2).forEach((answer) => answer())
  await until('two places free', () => asked.length === inHandMax + 2)
  t.true(asked.slice(inHandMax).includes('other'))
})

test('who asks for more than may wait is refused, and a flood of it is two audit lines', async (t) => {
  const { answers, handle } = makeSlowHandle()
  const lines: string[] = []
  const own = openAudit({ region: 'ams3', door: 'lobby' }, (line) => void lines.push(line))
  const work = startWork(handle, { door: 'lobby', audit: own })
  const all = Array.from({ length: 1_000 }, () => work.answer(requestFrom('#1')))
  const refused = await Promise.race(all)
  t.is(refused.isGranted ? undefined : refused.refusal.code, 'ERR_BUSY')
  own[Symbol.dispose]()
  const same = { verdict: 'refused', rule: 'ERR_BUSY', kind: 'access' }
  const [first, sum, ...more] = lines.map((line) => auditLine.parse(JSON.parse(line)))
  t.like(first, { ...same, caller: { trigger: 'nats', source: '#1' } })
  t.like(sum, { ...same, times: 1_000 - 64 - 1 })
  t.deepEqual(more, [])
  while (work.answered < 64) {
    answers.forEach((answer) => answer())
    await turn()
  }
})

test('says to the handler whether anybody else waits', async (t) => {
  const alone: (boolean | undefined)[] = []
  const handle: Handle = async ({ isAlone }) => {
    alone.push(isAlone)
    await turn()
    return granted
  }
  const work = startWork(handle, { door: 'lobby', audit })
  await work.answer(requestFrom('a'))
  await Promise.all([work.answer(requestFrom('a')), work.answer(requestFrom('b'))])
  await work.answer(requestFrom('b'))
  t.deepEqual(alone, [true, false, false, true])
})

test('what it asks itself does not count as work for others', async (t) => {
  const work = startWork(() => granted, { door: 'lobby', audit })
  const caller = { trigger: 'self', source: 'self' } as const
  await work.answer({ ...requestFrom('self'), caller })
  t.is(work.answered, 0)
  await work.answer(requestFrom('a'))
  t.is(work.answered, 1)
})

for (const [how, handle] of [
  [
    'throws',
    () => {
      throw new Refusal('ERR_NAME_DENIED', 'name is denied: x')
    },
  ],
  ['rejects', () => Promise.reject(new Refusal('ERR_NAME_DENIED', 'name is denied: x'))],
] as const satisfies readonly (readonly [string, Handle])[])
  test(`a handler that ${how} refuses this request, and the next has its turn`, async (t) => {
    let isFirst = true
    const work = startWork(
      () => {
        if (!isFirst) return granted
        isFirst = false
        return handle()
      },
      { door: 'lobby', audit },
    )
    const refused = await work.answer(requestFrom('a'))
    t.false(refused.isGranted)
    t.is(refused.isGranted ? undefined : refused.refusal.code, 'ERR_NAME_DENIED')
    t.is(await work.answer(requestFrom('a')), granted)
  })
