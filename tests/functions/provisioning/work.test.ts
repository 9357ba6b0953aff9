import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { Refusal } from '../../../core/errors.ts'
import type {
  ProvisioningAnswer,
  ProvisioningRequest,
} from '../../../functions/provision-credentials.ts'
import { startWork, type Handle } from '../../../functions/provisioning/work.ts'
import { until } from '../../until.ts'

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
  const work = startWork(handle, { door: 'lobby' })
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
  const work = startWork(handle, { door: 'lobby' })
  for (let at = 0; at < 40; at++) void work.answer(requestFrom('crowd'))
  await until('all places taken', () => asked.length === inHandMax)
  void work.answer(requestFrom('other'))
  answers.slice(0, 2).forEach((answer) => answer())
  await until('two places free', () => asked.length === inHandMax + 2)
  t.true(asked.slice(inHandMax).includes('other'))
})

test('says to the handler whether anybody else waits', async (t) => {
  const alone: (boolean | undefined)[] = []
  const handle: Handle = async ({ isAlone }) => {
    alone.push(isAlone)
    await turn()
    return granted
  }
  const work = startWork(handle, { door: 'lobby' })
  await work.answer(requestFrom('a'))
  await Promise.all([work.answer(requestFrom('a')), work.answer(requestFrom('b'))])
  await work.answer(requestFrom('b'))
  t.deepEqual(alone, [true, false, false, true])
})

test('what it asks itself does not count as work for others', async (t) => {
  const work = startWork(() => granted, { door: 'lobby' })
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
      { door: 'lobby' },
    )
    const refused = await work.answer(requestFrom('a'))
    t.false(refused.isGranted)
    t.is(refused.isGranted ? undefined : refused.refusal.code, 'ERR_NAME_DENIED')
    t.is(await work.answer(requestFrom('a')), granted)
  })
