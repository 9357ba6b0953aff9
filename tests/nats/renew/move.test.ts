// From one connection to the next, on a cluster of two servers without any rules.
import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '../../../nats/connect.ts'
import test, { type ExecutionContext } from 'ava'
import type { Creds } from '../../../core/trust/creds.ts'
import { signUser } from '../../../core/trust/user.ts'
import { startRenewing, type RenewedConnection } from '../../../nats/renew.ts'
import type { HeldCredential, RenewalStatus, Renewing } from '../../../nats/renew/renewing.ts'
import { makeNkeyPair } from '../../../store/key-file.ts'
import { until } from '../../until.ts'
import { startCluster, type Cluster } from './cluster.ts'

const overlapMs = 400

test('a request that is under way is answered', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster)
  const answerer = await cluster.connect(1)
  answerer.subscribe('ask', {
    callback: (_, msg) => void delay(2 * overlapMs).then(() => msg.respond('answer')),
  })
  await answerer.flush()
  const [answer] = await Promise.all([
    program.request('ask', 'question', { timeout: 5_000 }),
    program.renewNow(),
  ])
  t.is(answer.string(), 'answer')
  await until('the old connection is closed', () => program.connections[0]?.isClosed())
  t.false(program.connection.isClosed())
})

test('an answer that takes longer than the connection goes over the next one', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster)
  let answer = (): void => {}
  program.subscribe('ask', { callback: (_, msg) => (answer = () => void msg.respond('late')) })
  await program.flush()
  const asker = await cluster.connect(1)
  const asked = asker.request('ask', 'question', { timeout: 5_000 })
  await program.renewNow()
  t.true(program.connections[0]?.isClosed())
  answer()
  t.is((await asked).string(), 'late')
})

test('what is sent keeps its order over eight moves', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster, { overlapMs: 100 })
  const listener = await cluster.connect(1)
  const heard: number[] = []
  listener.subscribe('numbers', { callback: (_, msg) => void heard.push(Number(msg.string())) })
  await listener.flush()
  let sent = 0
  let isSending = true
  const send = (): void => {
    const most = Math.min(sent + 20, heard.length + 2_000)
    while (sent < most) program.publish('numbers', String(sent++).padEnd(512))
    if (isSending) setImmediate(send)
  }
  send()
  for (let move = 0; move < 8; move++) await program.renewNow()
  isSending = false
  await program.flush()
  await until('all is heard', () => heard.length >= sent)
  t.is(
    heard.findIndex((number, at) => number !== at),
    -1,
  )
})

test('what is subscribed and unsubscribed during a move begins and ends', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster)
  const [before, during] = [counter(), counter()]
  const subscription = program.subscribe('news', before)
  const moved = program.renewNow()
  await until('both connections are there', () => program.connections.length === 2)
  await delay(overlapMs / 2)
  program.subscribe('news', during)
  subscription.unsubscribe()
  program.publish('news', 'for the new one')
  await moved
  program.publish('news', 'again')
  await until('the new one hears', () => during.heard >= 2)
  t.is(during.heard, 2)
  t.is(before.heard, 0)
})

test('where the network is slow to learn of the new connection, nothing is lost or repeated', async (t) => {
  await using cluster = await startCluster({ delayMs: 50 })
  await using program = await startProgram(cluster)
  const numbers = await startNumbers(program, await cluster.connect(0))
  await program.renewNow()
  await numbers.expectAll(t)
})

test('without an overlap it loses what is sent meanwhile', async (t) => {
  await using cluster = await startCluster({ delayMs: 50 })
  await using program = await startProgram(cluster, { overlapMs: 0 })
  const numbers = await startNumbers(program, await cluster.connect(0))
  await program.renewNow()
  t.true((await numbers.countMissing()) > 0)
})

test('when the old server dies during the overlap, nothing is lost or repeated', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster)
  const numbers = await startNumbers(program, await cluster.connect(1))
  const moved = program.renewNow()
  await until('both connections are there', () => program.connections.length === 2)
  await delay(overlapMs / 2)
  await cluster.kill(0)
  await moved
  await numbers.expectAll(t)
})

test('when the next server dies during the overlap, the old connection stays', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster)
  const numbers = await startNumbers(program, await cluster.connect(0))
  const moved = program.renewNow()
  await until('both connections are there', () => program.connections.length === 2)
  await delay(overlapMs / 2)
  await cluster.kill(1)
  await t.throwsAsync(moved, { code: 'ERR_CONNECT' })
  t.is(program.connection, program.connections[0] as NatsConnection)
  await numbers.expectAll(t)
  t.like(program.statuses.at(-1), { type: 'failed', reason: { code: 'ERR_CONNECT' } })
})

test('a failed renewal is tried again, and what then succeeds is one renewal', async (t) => {
  await using cluster = await startCluster()
  let failures = 0
  await using program = await startProgram(cluster, {
    renew: (credential) => {
      if (failures++ < 2) throw new Error(`failure ${failures}`)
      return Promise.resolve(successorOf(credential))
    },
  })
  await t.throwsAsync(program.renewNow(), { message: 'failure 1' })
  await until('it has moved', () => program.statuses.some(({ type }) => type === 'moved'))
  const types = program.statuses.map(({ type }) => type)
  t.deepEqual(types, ['failed', 'failed', 'renewed', 'moved'])
})

test('a credential for another key is not taken', async (t) => {
  await using cluster = await startCluster()
  await using program = await startProgram(cluster, {
    renew: () => Promise.resolve(makeCredential(makeNkeyPair('user'))),
  })
  await t.throwsAsync(program.renewNow(), {
    instanceOf: TypeError,
    message: /^renewed for another key: U/,
  })
})

test('who closes during a move leaves no connection behind', async (t) => {
  await using cluster = await startCluster()
  const program = await startProgram(cluster)
  const moved = program.renewNow()
  await until('both connections are there', () => program.connections.length === 2)
  await Promise.all([program.close(), t.throwsAsync(moved)])
  t.true(program.connections.every((nc) => nc.isClosed()))
})

interface Program extends RenewedConnection<HeldCredential> {
  readonly statuses: RenewalStatus[]
  readonly connections: NatsConnection[]
}

/** On the first server, then on the second, and so on. */
async function startProgram(
  cluster: Cluster,
  options: Partial<Renewing<HeldCredential>> = {},
): Promise<Program> {
  const [statuses, connections]: [RenewalStatus[], NatsConnection[]] = [[], []]
  const program = await startRenewing({
    credential: makeCredential(makeNkeyPair('user')),
    overlapMs,
    async connect() {
      const nc = await cluster.connect(connections.length % 2)
      connections.push(nc)
      return nc
    },
    renew: (credential) => Promise.resolve(successorOf(credential)),
    onStatus: (status) => void statuses.push(status),
    ...options,
  })
  return Object.assign(program, { statuses, connections })
}

const account = makeNkeyPair('account')

function makeCredential(pair: Creds['pair']): HeldCredential {
  const issuedAtSeconds = Math.floor(Date.now() / 1000)
  const user = signUser(account, {
    publicKey: pair.publicKey,
    name: 'alice',
    account: account.publicKey,
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + 3_600,
  })
  return { creds: { user, pair } }
}

function successorOf({ creds }: HeldCredential): HeldCredential {
  return makeCredential(creds.pair)
}

function counter() {
  const counted = { heard: 0, callback: () => void counted.heard++ }
  return counted
}

/** From now until `expectAll` a connection numbers its messages, and the program hears them. */
async function startNumbers(program: Program, sender: NatsConnection) {
  const heard: number[] = []
  program.subscribe('numbers', { callback: (_, msg) => void heard.push(Number(msg.string())) })
  await until('the first is heard', () => {
    sender.publish('numbers', '-1')
    return heard.length > 0
  })
  let sent = 0
  const timer = setInterval(() => sender.publish('numbers', String(sent++)), 1)
  const end = async (): Promise<number[]> => {
    clearInterval(timer)
    // The last number may be lost; what follows it tells that nothing more comes.
    await until('the end is heard', () => {
      sender.publish('numbers', '-2')
      return heard.includes(-2)
    })
    return heard.filter((number) => number >= 0)
  }
  return {
    async expectAll(t: ExecutionContext): Promise<void> {
      const numbers = await end()
      t.deepEqual(numbers, Array.from(numbers.keys()))
    },
    countMissing: async () => sent - new Set(await end()).size,
  }
}
