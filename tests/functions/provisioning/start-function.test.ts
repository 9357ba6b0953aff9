// How a function begins with a certificate that is not good yet, and how it ends: whatever it was asked
// before, it answers.
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { provisionCredential } from '../../../functions/provision-credentials.ts'
import type { FunctionParts } from '../../../functions/provisioning/start-function.ts'
import { startTestNetwork, type TestNetwork } from '../../test-network.ts'
import { until } from '../../until.ts'
import { askNats, enterLobby, spell } from '../ask.ts'
import { takeOver } from '../in-process.ts'
import { reissue } from '../reissue.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

test('told to end, a function answers what it was asked before', async (t) => {
  const [region, asked] = ['ams3', 30]
  const first = Promise.withResolvers<void>()
  const slow: FunctionParts['handle'] = (provisioning) => async (request) => {
    if (request.caller.trigger !== 'self') first.resolve()
    await delay(10)
    return provisionCredential(request, provisioning)
  }
  const running = await takeOver(network, { region, door: 'lobby' }, { handle: slow })
  const lobby = await enterLobby(network, region)
  const subject = `chat.req.access.${region}`
  const bytes = spell(network)
  const answers = Array.from({ length: asked }, () => askNats(lobby, subject, bytes))
  await first.promise
  await lobby.flush()
  await running[Symbol.asyncDispose]()
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  t.deepEqual(statuses, Array<number>(asked).fill(200))
  await t.throwsAsync(askNats(lobby, subject, bytes, 500), { message: /no responders/i })
  await lobby.close()
})

test('no request is lost when a function gets SIGTERM: it answers, or another region', async (t) => {
  const name = 'sfo2-lobby'
  const before = network.functions.pids().get(name)
  let answered = 0
  const asking = Array.from({ length: 8 }, async () => {
    const regions: string[] = []
    for (let round = 0; round < 12; round += 1) {
      regions.push((await network.request({ region: 'sfo2' })).region)
      answered += 1
    }
    return regions
  })
  await until('requests are under way', () => answered > 10)
  network.functions.signal(name, 'SIGTERM')
  const regions = (await Promise.all(asking)).flat()
  t.is(regions.length, 96)
  t.true(regions.includes('sfo2'))
  const isNew = () =>
    network.functions.pids().has(name) && network.functions.pids().get(name) !== before
  t.true(await until('it was started anew', isNew))
})

test('a function that is refused for its certificate names both clocks, and takes the next one', async (t) => {
  const at = { region: 'sgp1', door: 'lobby' } as const
  await network.functions.remove('sgp1-lobby')
  await reissue(network, { ...at, kind: 'identity', shiftMs: 10 * 60_000 })
  const lines: string[] = []
  const taking = takeOver(network, at, { report: (line) => void lines.push(line) })
  const told = await until('it is refused', () =>
    lines.find((line) => line.includes('alarm: no TLS')),
  )
  t.regex(
    told,
    /it refuses our certificate: our certificate begins 20\S+Z by its issuer's clock, this clock says 20\S+Z$/,
  )
  await reissue(network, { ...at, kind: 'identity' })
  await using running = await taking
  t.is(running.health.problem, undefined)
})
