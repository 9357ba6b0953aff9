// Programs that stay connected to a running network whose credentials live for seconds.
import { randomInt } from 'node:crypto'
import test from 'ava'
import { signDenyList } from '../../core/trust/deny-list.ts'
import type { Creds } from '../../core/trust/creds.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { pushDenyList } from '../../nats/push-deny-list.ts'
import { startRenewing, type RenewedConnection } from '../../nats/renew.ts'
import { systemClock, type Clock } from '../../nats/renew/life.ts'
import { dialNear } from '../../nats/renew/dial.ts'
import type { Connect } from '../../nats/renew/line.ts'
import type { RenewalStatus, Renewing } from '../../nats/renew/renewing.ts'
import { renewCredential } from '../../requestor/renew-credential.ts'
import { requestCredential, type Credential } from '../../requestor/request-credential.ts'
import { signerOf } from '../functions/ask.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

const lifeSeconds = 15

let network: TestNetwork
test.before(async () => {
  const shorten = (yaml: string): string =>
    yaml.replace('lifetime: 1h', `lifetime: ${lifeSeconds}s`)
  network = await startTestNetwork(shorten)
})
test.after.always(() => network?.[Symbol.asyncDispose]())

test('subscribers live through three expiries, and no server ends a connection', async (t) => {
  await using listener = await startProgram({ region: 'ams3' })
  await using sender = await startProgram({ region: 'sgp1' })
  const subject = 'chat.KUBECON.posts.expiry'
  const [plain, queue] = [listen(listener, subject), listen(listener, subject, 'workers')]
  await until('both are heard', () => {
    sender.publish(subject, '-1')
    return plain.includes(-1) && queue.includes(-1)
  })
  let sent = 0
  const timer = setInterval(() => sender.publish(subject, String(sent++)), 10)
  const first = listener.credential.creds.user.claims.exp as number
  // A credential's successor ends half a life later.
  const isOver = (): boolean => Date.now() / 1000 > first + 2 * 0.55 * lifeSeconds + 1
  await until('three credentials are over', isOver, { deadlineMs: 60_000 })
  clearInterval(timer)
  const numbers = (heard: readonly number[]) => heard.filter((number) => number >= 0)
  await until('all is heard', () => numbers(plain).length >= sent && numbers(queue).length >= sent)
  const all = Array.from({ length: sent }, (_, number) => number)
  t.deepEqual(numbers(plain), all)
  t.deepEqual(
    numbers(queue).toSorted((one, other) => one - other),
    all,
  )
  for (const { statuses, errors } of [listener, sender]) {
    t.true(statuses.filter(({ type }) => type === 'moved').length >= 3)
    t.deepEqual(new Set(statuses.map(({ type }) => type)), new Set(['renewed', 'moved']))
    t.deepEqual(errors, [])
  }
})

test('messages of the same bytes are all heard, each once', async (t) => {
  await using listener = await startProgram({ region: 'ams3' })
  await using sender = await startProgram({ region: 'sfo2' })
  const subject = 'chat.KUBECON.posts.same'
  let heard = 0
  listener.subscribe(subject, { callback: () => void heard++ })
  await until('it is heard', () => {
    if (heard === 0) sender.publish(subject, 'tick')
    return heard > 0
  })
  await sender.flush()
  heard = 0
  let sent = 0
  const timer = setInterval(() => {
    sent += 1
    sender.publish(subject, 'tick')
  }, 40)
  await nextSecond(listener)
  await listener.renewNow()
  clearInterval(timer)
  await sender.flush()
  await until('all is heard', () => heard >= sent)
  t.is(heard, sent)
})

test('who is denied is told so, asks no more, and ends with its credential', async (t) => {
  let asked = 0
  await using program = await startProgram({ region: 'sfo2', onRenew: () => void asked++ })
  await deny(program.credential.creds.pair.publicKey)
  await t.throwsAsync(program.renewNow(), { code: 'ERR_NKEY_DENIED' })
  const [refused] = program.statuses
  t.like(refused, { type: 'refused', reason: { code: 'ERR_NKEY_DENIED' } })
  await until('it has ended', () => program.ended.aborted)
  t.is(program.ended.reason, (refused as { reason: Error }).reason)
  t.is(asked, 1)
  t.true(program.connection.isClosed())
})

test('who slept through the end of its credential asks anew, and dials with nothing dead', async (t) => {
  const clock = makeClock()
  let again = 0
  await using program = await startProgram({
    region: 'sgp1',
    clock,
    requestAgain: ({ creds }) => {
      again += 1
      // The others' clocks did not jump.
      clock.sleepMs = 0
      const { network: known } = network
      return requestCredential({ network: known, role: 'member', name: 'alice', pair: creds.pair })
    },
  })
  const heard = listen(program, 'chat.KUBECON.posts.sleep')
  const before = program.dialled.length
  // The laptop opens: an hour is over by the wall, and the connection is dead.
  clock.sleepMs = 3_600_000
  await program.connection.reconnect()
  await until('it is awake', () => program.statuses.some(({ type }) => type === 'reconnected'))
  t.is(again, 1)
  t.deepEqual(new Set(program.dialled.slice(before)), new Set([program.credential.creds.user.text]))
  await until('it hears again', () => {
    program.publish('chat.KUBECON.posts.sleep', '1')
    return heard.length > 0
  })
})

test('who slept and cannot ask anew ends, and dials with nothing dead', async (t) => {
  const clock = makeClock()
  await using program = await startProgram({ region: 'sgp1', clock })
  const before = program.dialled.length
  clock.sleepMs = 3_600_000
  await program.connection.reconnect()
  await until('it has ended', () => program.ended.aborted)
  t.like(program.ended.reason, { code: 'ERR_JWT_EXPIRED' })
  t.is(program.dialled.length, before)
})

test('who is slower than the servers is told both clocks, asks anew once, and hears again', async (t) => {
  const began = systemClock.monotonicMs()
  const elapsedMs = () => (systemClock.monotonicMs() - began) / 100
  const wallMs = Date.now() - 600_000
  const clock = { monotonicMs: elapsedMs, wallMs: () => wallMs + elapsedMs() }
  let again = 0
  await using program = await startProgram({
    region: 'ams3',
    clock,
    requestAgain: ({ creds }) => {
      again += 1
      const { network: known } = network
      return requestCredential({ network: known, role: 'member', name: 'alice', pair: creds.pair })
    },
  })
  const heard = listen(program, 'chat.KUBECON.posts.slow')
  const isBack = (): boolean => program.statuses.some(({ type }) => type === 'reconnected')
  await until('a server has ended it, and it is back', isBack)
  const told = program.statuses.find(({ type }) => type === 'failed') as { reason: Error }
  t.regex(
    told.reason.message,
    /^a server says that the credential of U\w+ is over: it ends 20\S+Z, this clock says 20\S+Z$/,
  )
  t.is(again, 1)
  await until('it hears again', () => {
    program.publish('chat.KUBECON.posts.slow', '1')
    return heard.length > 0
  })
})

test('what the servers do not allow is told, and not heard on the next connection either', async (t) => {
  await using program = await startProgram({ region: 'ams3' })
  const told: (Error | null)[] = []
  program.subscribe('chat.elsewhere', { callback: (error) => void told.push(error) })
  await until('it is told', () => told.length > 0)
  await nextSecond(program)
  await program.renewNow()
  t.is(told.length, 1)
  t.regex(String(told[0]), /Permissions Violation for Subscription to "chat.elsewhere"/)
})

test('a move goes to the server of before, or to another one where that is gone', async (t) => {
  const servers = serversOf(network.network, 'sfo2')
  const dial = dialNear({ servers, ca: network.network.file.ca, name: 'near' })
  const { creds } = await network.request({ region: 'sfo2' })
  for (const server of servers) {
    await using nc = await dial(() => creds, new URL(server).host)
    t.is(nc.getServer(), new URL(server).host)
  }
  await using nc = await dial(() => creds, '127.0.0.1:9')
  t.true(servers.some((server) => new URL(server).host === nc.getServer()))
})

interface Program extends RenewedConnection<Credential> {
  readonly statuses: RenewalStatus[]
  /** The user JWTs with which servers were dialled. */
  readonly dialled: string[]
  /** What servers said of its connections. */
  readonly errors: string[]
}

/** Dials another server of its region each time. */
async function startProgram({
  region,
  onRenew = () => {},
  ...options
}: {
  region: string
  onRenew?: () => void
} & Pick<Partial<Renewing<Credential>>, 'requestAgain' | 'clock'>): Promise<Program> {
  const [statuses, dialled, errors]: [RenewalStatus[], string[], string[]] = [[], [], []]
  const servers = serversOf(network.network, region)
  let dials = randomInt(servers.length)
  const connect: Connect = async (current) => {
    const counted = (): Creds => {
      const creds = current()
      dialled.push(creds.user.text)
      return creds
    }
    const server = servers[dials++ % servers.length] as string
    const nc = await connectWithCreds(
      { servers: [server], ca: network.network.file.ca, name: 'renewing' },
      counted,
    )
    void collectErrors(nc, errors)
    return nc
  }
  const program = await startRenewing<Credential>({
    credential: await network.request({ region }),
    connect,
    renew: (current, nc) => {
      onRenew()
      return renewCredential(nc, { network: network.network, current })
    },
    onStatus: (status) => void statuses.push(status),
    ...options,
  })
  return Object.assign(program, { statuses, dialled, errors })
}

async function collectErrors(nc: NatsConnection, errors: string[]): Promise<void> {
  for await (const status of nc.status())
    if (status.type === 'error') errors.push(status.error.message)
}

/** Lives end at whole seconds: one of the same second ends no later. */
async function nextSecond({ credential }: Program): Promise<void> {
  const { iat } = credential.creds.user.claims
  await until('the next second', () => Date.now() >= (iat + 1) * 1000)
}

function listen(program: Program, subject: string, queue?: string): number[] {
  const heard: number[] = []
  const callback = (_: unknown, msg: { string(): string }): void =>
    void heard.push(Number(msg.string()))
  program.subscribe(subject, { callback, ...(queue !== undefined && { queue }) })
  return heard
}

/** Goes with the machine's, but for the hours that the test lets pass. */
function makeClock(): Clock & { sleepMs: number } {
  const clock = {
    sleepMs: 0,
    monotonicMs: systemClock.monotonicMs,
    wallMs: () => systemClock.wallMs() + clock.sleepMs,
  }
  return clock
}

async function deny(nkey: string): Promise<void> {
  const { operator, denyList: previous } = network.operator
  const list = signDenyList(signerOf(network), {
    operator: operator.claims.sub as Nkey<'operator'>,
    previous,
    added: { nkeys: [nkey] },
    nowSeconds: Math.floor(Date.now() / 1000),
  })
  const nc = await network.connectAs('access-operator')
  const expected = network.archipelago.regions.map(({ name: region }) => ({
    region,
    door: 'lobby',
  }))
  const { missing } = await pushDenyList(nc, { list: () => list, expected })
  await nc.close()
  if (missing.length > 0) throw new Error(`deny list did not reach ${missing.join(', ')}`)
}
