import test from 'ava'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

for (const region of ['ams3', 'sfo2', 'sgp1'])
  test(`a request in ${region} is answered by ${region}'s own function`, async (t) => {
    const credential = await network.request({ region })
    t.is(credential.region, region)
  })

test('a message of a member in ams3 is heard in sgp1', async (t) => {
  const [alice, bob] = await Promise.all([
    network.request({ name: 'alice', region: 'ams3' }),
    network.request({ name: 'bob', region: 'sgp1' }),
  ])
  const [sender, hearer] = await Promise.all([
    network.connect(alice, 'ams3'),
    network.connect(bob, 'sgp1'),
  ])
  const { promise, resolve } = Promise.withResolvers<string>()
  hearer.subscribe('chat.KUBECON.posts.*', { callback: (_, msg) => resolve(msg.string()) })
  await hearer.flush()
  const repeat = setInterval(() => sender.publish('chat.KUBECON.posts.General', 'ahoy'), 50)
  t.is(await promise, 'ahoy')
  clearInterval(repeat)
  await Promise.all([sender.close(), hearer.close()])
})
