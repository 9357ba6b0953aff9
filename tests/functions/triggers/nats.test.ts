// What the NATS trigger does on a connection that ends under it; with a real server, and work that waits.
import { connect } from '@nats-io/transport-node'
import test from 'ava'
import { accessSubject } from '../../../core/network/access-subject.ts'
import { openAudit } from '../../../functions/provisioning/audit.ts'
import { startWork, type Handle } from '../../../functions/provisioning/work.ts'
import { serveNats } from '../../../functions/triggers/nats.ts'
import { startTestServer } from '../../test-server.ts'
import { until } from '../../until.ts'

const door = { region: 'ams3', door: 'lobby', nkey: 'UTEST' } as const
const audit = openAudit(door, () => {})
const subject = accessSubject('lobby', 'ams3')

for (const isGranted of [true, false])
  test(`${isGranted ? 'a grant' : 'a refusal'} for a connection that has ended meanwhile harms nothing`, async (t) => {
    const rejected: unknown[] = []
    const hear = (reason: unknown): void => void rejected.push(reason)
    process.prependListener('unhandledRejection', hear)
    t.teardown(() => process.off('unhandledRejection', hear))

    await using server = await startTestServer({})
    const [nc, requestor] = await Promise.all([
      connect({ servers: server.url }),
      connect({ servers: server.url }),
    ])
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    let taken = 0
    const refusal = { code: 'ERR_INTERNAL', message: 'refused', status: 500 } as const
    const handle: Handle = async () => {
      taken += 1
      await released
      return isGranted ? { isGranted, body: 'late' } : { isGranted, refusal, body: 'late' }
    }
    const work = startWork(handle, { door: 'lobby', audit })
    const trigger = serveNats(nc, door, { work, audit, self: 'self' })
    trigger.setServing(true)
    await nc.flush()
    requestor.publish(subject, 'anything', { reply: 'inbox' })
    await until('the request is under way', () => taken === 1)
    await nc.close()
    release()
    await until('it is answered', () => work.answered === 1)
    // As a check of its health would have it, and its end.
    trigger.setServing(false)
    await t.notThrowsAsync(async () => trigger[Symbol.asyncDispose]())
    await new Promise(setImmediate)
    t.deepEqual(rejected, [])
    await requestor.close()
  })

test('an answer that is larger than the server takes harms nothing, and is counted', async (t) => {
  await using server = await startTestServer({ max_payload: 4096 })
  const nc = await connect({ servers: server.url })
  const body = 'x'.repeat(4097)
  const work = startWork(() => ({ isGranted: true, body }), { door: 'lobby', audit })
  t.teardown(() => nc.close())
  await using trigger = serveNats(nc, door, { work, audit, self: 'self' })
  trigger.setServing(true)
  nc.publish(subject, 'anything', { reply: 'inbox' })
  await until('it is counted', async () => {
    const { endpoints } = (await nc.request('$SRV.STATS')).json<{ endpoints: object[] }>()
    return JSON.stringify(endpoints).includes('"last_error":"ERR_NO_ANSWER"')
  })
  t.false(nc.isClosed())
})
