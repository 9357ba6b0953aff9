// What breaks in the night: processes killed, stopped and cut off. Requests go on being answered.
import test from 'ava'
import type { NatsConnection } from '../../nats/connect.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const answerMsMax = 2_000

/** Processes of the network by name, as they run at this moment. */
function pidOf(name: string): number {
  const pid = network.supercluster.pids().get(name) ?? network.functions.pids().get(name)
  if (pid === undefined) throw new Error(`${name} does not run`)
  return pid
}

async function isAnsweredBy(region: string): Promise<boolean> {
  return (await network.request({ region })).region === region
}

const functionFaults = [
  { what: 'killed', name: 'ams3-lobby', signal: 'SIGKILL' },
  { what: 'stopped', name: 'ams3-lobby', signal: 'SIGSTOP' },
  { what: 'behind a leafnode that was silently cut', name: 'ams3-leafnode', signal: 'SIGSTOP' },
  { what: 'behind a leafnode that was killed', name: 'ams3-leafnode', signal: 'SIGKILL' },
] as const

for (const { what, name, signal } of functionFaults)
  test.serial(`with ams3's function ${what}, its requests are answered within 2 s`, async (t) => {
    const pid = pidOf(name)
    process.kill(pid, signal)
    for (let round = 0; round < 3; round += 1) {
      const { tookMs } = await network.request({ region: 'ams3' })
      t.true(tookMs < answerMsMax, `${tookMs} ms`)
    }
    if (signal === 'SIGSTOP') process.kill(pid, 'SIGCONT')
    await until('ams3 answers for itself again', () => isAnsweredBy('ams3'), { deadlineMs: 40_000 })
  })

async function heardAcross(sender: NatsConnection, hearer: NatsConnection): Promise<void> {
  const subject = 'chat.KUBECON.posts.General'
  const heard = Promise.withResolvers<void>()
  const subscription = hearer.subscribe(subject, { callback: () => heard.resolve() })
  const again = setInterval(() => sender.publish(subject, 'still here'), 50)
  await until('a message crosses', () => Promise.race([heard.promise.then(() => true), soon()]))
  clearInterval(again)
  subscription.unsubscribe()
}

function soon(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, 100, false))
}

for (const name of ['ams3-0', 'sgp1-2', 'sfo2-leafnode'])
  test.serial(`${name} is killed: members stay in touch, and it is back in the mesh`, async (t) => {
    const [alice, bob] = await Promise.all([
      network.request({ name: 'alice', region: 'ams3' }),
      network.request({ name: 'bob', region: 'sgp1' }),
    ])
    const [sender, hearer] = await Promise.all([
      network.connect(alice, 'ams3'),
      network.connect(bob, 'sgp1'),
    ])
    const before = pidOf(name)
    process.kill(before, 'SIGKILL')
    await heardAcross(sender, hearer)
    await network.supercluster.awaitMesh(20_000)
    t.not(pidOf(name), before)
    await Promise.all([sender.close(), hearer.close()])
  })

test.serial('a whole region is lost and comes back', async (t) => {
  const region = 'sgp1'
  const lost = [...network.supercluster.pids(), ...network.functions.pids()]
    .filter(([name]) => name.startsWith(`${region}-`))
    .map(([, pid]) => pid)
  for (const pid of lost) process.kill(pid, 'SIGSTOP')
  try {
    for (const asked of ['ams3', region]) {
      const started = performance.now()
      const credential = await network.request({ region: asked })
      t.not(credential.region, region)
      const tookMs = performance.now() - started
      t.true(tookMs < answerMsMax, `${asked}: ${tookMs} ms`)
    }
  } finally {
    // A stopped process dies of SIGKILL alone.
    for (const pid of lost) process.kill(pid, 'SIGKILL')
  }
  await network.supercluster.awaitMesh(30_000)
  await until('sgp1 answers for itself again', () => isAnsweredBy(region))
})
