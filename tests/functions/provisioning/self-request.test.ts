// A function that cannot answer itself leaves the queue of its region, and comes back.
import test from 'ava'
import { provisionCredential, type Provisioning } from '../../../functions/provision-credentials.ts'
import type { Handle } from '../../../functions/provisioning/work.ts'
import { startTestNetwork, type TestNetwork } from '../../test-network.ts'
import { until } from '../../until.ts'
import { takeOver } from '../in-process.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const region = 'ams3'
const selfIntervalMs = 400
const silence = `no answer to itself within ${selfIntervalMs} ms`

interface Fault {
  readonly handle: (provisioning: Provisioning) => Handle
  hang(): void
  release(): void
}

/** A handler that hangs from one call on until it is released, all that wait included. */
function makeFault(): Fault {
  let hung = Promise.withResolvers<void>()
  hung.resolve()
  return {
    handle: (provisioning) => async (request) => {
      await hung.promise
      return provisionCredential(request, provisioning)
    },
    hang: () => void (hung = Promise.withResolvers<void>()),
    release: () => hung.resolve(),
  }
}

for (const door of ['lobby', 'invite'] as const)
  test.serial(
    `hung inside, the ${door} leaves the queue and says why; then it is back`,
    async (t) => {
      const { handle, hang, release } = makeFault()
      await using running = await takeOver(network, { region, door }, { handle, selfIntervalMs })
      t.is(running.health.problem, undefined)
      hang()
      await until('it noticed', () => running.health.problem)
      t.is(running.health.problem, silence)
      if (door === 'lobby') {
        // Where the first try is not answered a second one follows after 400 ms, each time.
        await until('the first try is answered', async () => {
          const { region: answered, tookMs } = await network.request({ region })
          t.not(answered, region)
          return tookMs < 400
        })
      }
      release()
      await until('it serves again', () => running.health.problem === undefined)
      t.deepEqual(running.reported, ['is serving', `does not serve: ${silence}`, 'is serving'])
      if (door === 'lobby') t.is((await network.requestFrom(region)).region, region)
      t.false(running.audited.some((line) => line.includes('"trigger":"self"')))
    },
  )

test.serial('with a wrong answer to itself a function does not serve', async (t) => {
  const other = await network.request({ name: 'mallory' })
  const handle = () => () =>
    ({ isGranted: true, body: JSON.stringify({ sealed: other.accountJwt }) }) as const
  const place = { region, door: 'lobby', isAwaited: false } as const
  await using running = await takeOver(network, place, { handle, selfIntervalMs })
  await until('it says why', () => running.reported.length > 0)
  t.regex(running.reported[0] ?? '', /^does not serve: its own answer is not good: /)
})

test.serial(
  'behind a leafnode server that hangs it does not serve, until that goes on',
  async (t) => {
    const door = 'lobby'
    await using running = await takeOver(network, { region: 'sfo2', door }, { selfIntervalMs })
    const pid = network.supercluster.pids().get('sfo2-leafnode') ?? 0
    process.kill(pid, 'SIGSTOP')
    await until('it noticed', () => running.health.problem)
    process.kill(pid, 'SIGCONT')
    await until('it serves again', () => running.health.problem === undefined)
    const isBack = async () => (await network.request({ region: 'sfo2' })).region === 'sfo2'
    t.true(await until('sfo2 answers for itself', isBack, { deadlineMs: 40_000 }))
  },
)
