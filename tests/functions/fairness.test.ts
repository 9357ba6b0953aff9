// A flood from one connection, as fast as it can, while another asks one request after the other.
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { formatCreds } from '../../core/trust/creds.ts'
import type { FairQueue } from '../../core/access/fair-queue.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import type { Job } from '../../functions/provisioning/work.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { askNats, enterLobby, spell } from './ask.ts'
import { takeOver } from './in-process.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const region = 'ams3'
const subject = `chat.req.access.${region}`
const flooded = 20_000
// On two idle cores the 95th percentile is about a tenth of it.
const patienceMs = 2_000

interface Flood {
  readonly sent: Promise<void>
  end(): Promise<void>
}

/** In a thread of its own, so that it floods as fast as a connection can. */
function flood(): Flood {
  const { lobby, file } = network.network
  const worker = new Worker(new URL('flood.ts', import.meta.url), {
    workerData: {
      creds: formatCreds(lobby.user.text, lobby.pair.seed),
      servers: serversOf(network.network, region),
      ca: file.ca,
      subject,
      bytes: spell(network),
      count: flooded,
    },
  })
  const sent = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve()).once('error', reject)
  })
  return { sent, end: async () => void (await worker.terminate()) }
}

/** Times of requests one after the other, Infinity for those without an answer in time. */
async function ask(nc: NatsConnection, isOver: (asked: number) => boolean): Promise<number[]> {
  const times: number[] = []
  while (!isOver(times.length)) {
    const started = performance.now()
    const asking = askNats(nc, subject, spell(network), patienceMs)
    const { status } = await asking.catch(() => ({ status: 0 }))
    times.push(status === 200 ? performance.now() - started : Infinity)
  }
  return times.toSorted((a, b) => a - b)
}

function makePlainQueue(): FairQueue<Job> {
  const jobs: Job[] = []
  return {
    push: (_, job) => jobs.push(job) > 0,
    shift: () => jobs.shift(),
    get size() {
      return jobs.length
    },
  }
}

test.serial('a flood does not starve the others', async (t) => {
  await using running = await takeOver(network, { region, door: 'lobby' })
  const nc = await enterLobby(network, region)
  const { sent, end } = flood()
  let isSent = false
  void sent.then(() => (isSent = true))
  const times = await ask(nc, (asked) => isSent && asked >= 20)
  await Promise.all([end(), nc.close()])
  const p95 = times[Math.floor(times.length * 0.95)] ?? Infinity
  t.log(`p95 of ${times.length} requests: ${p95.toFixed(0)} ms`)
  t.true(p95 < patienceMs, `p95 of ${times.length}: ${p95} ms`)
  t.deepEqual(running.reported, ['is serving'])
})

test.serial('with a plain queue the same flood starves them', async (t) => {
  const queue = makePlainQueue()
  await using _running = await takeOver(network, { region, door: 'lobby' }, { queue })
  const nc = await enterLobby(network, region)
  const { sent, end } = flood()
  await sent
  const times = await ask(nc, (asked) => asked === 2)
  await Promise.all([end(), nc.close()])
  t.deepEqual(times, [Infinity, Infinity])
  // Nobody waits for the rest of the flood.
  while (queue.size > 0) queue.shift()
})
