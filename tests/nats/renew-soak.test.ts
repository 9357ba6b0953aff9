import test from 'ava'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { startRenewing, type RenewedConnection } from '../../nats/renew.ts'
import { dialNear } from '../../nats/renew/dial.ts'
import type { Connect } from '../../nats/renew/line.ts'
import { renewCredential } from '../../requestor/renew-credential.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

type Member = RenewedConnection<Credential>
/** The numbers of each sender, as they were heard. */
type Heard = ReadonlyMap<string, readonly number[]>

const subjects = ['news', 'work', 'both'].map((name) => `chat.KUBECON.posts.${name}`)
const [news, work, both] = subjects as [string, string, string]
const senders = ['sfo2', 'sgp1']
const perSecond = 1_000

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

/** How members come to their next server. */
type Way = 'near' | 'from server to server' | 'from region to region'

test('100 renewals under load lose, repeat and disorder nothing', async (t) => {
  await using members = await startMembers({
    ways: [
      'near',
      'from server to server',
      'from server to server',
      'from region to region',
    ].flatMap((way) => [way, way] as Way[]),
    overlapMs: 1_000,
  })
  const [, , mover] = members.all as [Member, Member, Member]
  const plain = [...members.all.map((member) => listen([member], news)), listen([mover], both)]
  // Who leaves a region may lose what was on its way to a queue there.
  const queues = [
    listen(members.all.slice(0, -2), work, 'workers'),
    // A program may hear one subject both ways.
    listen([mover], both, 'workers'),
  ]
  const sent = await renewUnderLoad(members.all, { times: 13, all: [...plain, ...queues] })
  t.log(`${sent} messages from each sender`)
  for (const heard of plain)
    t.deepEqual(faultsOf(heard, sent), { missing: 0, twice: 0, disordered: 0 })
  // Between the members of a queue group there is no order.
  for (const heard of queues) t.like(faultsOf(heard, sent), { missing: 0, twice: 0 })
})

interface Members extends AsyncDisposable {
  readonly all: readonly Member[]
}

async function startMembers(options: { ways: readonly Way[]; overlapMs: number }) {
  await using cleanup = new AsyncDisposableStack()
  const all: Member[] = []
  for (const way of options.ways) all.push(cleanup.use(await startMember(way, options)))
  const kept = cleanup.move()
  return { all, [Symbol.asyncDispose]: () => kept.disposeAsync() } satisfies Members
}

async function startMember(way: Way, { overlapMs }: { overlapMs: number }): Promise<Member> {
  const credential = await network.request({ region: 'ams3' })
  return startRenewing({
    credential,
    overlapMs,
    connect: connectorOf(way),
    // Lives end at whole seconds: each has to outlive the first, not the one of half a second ago.
    renew: (_, nc) => renewCredential(nc, { network: network.network, current: credential }),
  })
}

function connectorOf(way: Way): Connect {
  const { ca } = network.network.file
  const inRegion = serversOf(network.network, 'ams3')
  if (way === 'near') return dialNear({ servers: inRegion, ca, name: way })
  const regions = ['ams3', 'sfo2', 'sgp1'].map((region) => serversOf(network.network, region))
  const servers = way === 'from server to server' ? inRegion : regions.map(([first]) => first)
  let dials = 0
  return (current) => {
    const server = servers[dials++ % servers.length] as string
    return connectWithCreds({ servers: [server], ca, name: way }, current)
  }
}

function listen(members: readonly Member[], subject: string, queue?: string): Heard {
  const heard = new Map<string, number[]>(senders.map((sender) => [sender, []]))
  const callback = (_: unknown, msg: { string(): string }): void => {
    const [sender = '', number] = msg.string().split(' ')
    heard.get(sender)?.push(Number(number))
  }
  for (const member of members) member.subscribe(subject, { callback, ...(queue && { queue }) })
  return heard
}

/** Members renew in ams3 while two senders elsewhere number their messages; how many each one sent. */
async function renewUnderLoad(
  members: readonly Member[],
  { times, all }: { times: number; all: readonly Heard[] },
): Promise<number> {
  await using cleanup = new AsyncDisposableStack()
  const connections = await Promise.all(senders.map((region) => connectSender(cleanup, region)))
  await warmUp(connections, all)
  const stop = startSending(connections)
  await Promise.all(members.map((member) => renewOften(member, times)))
  const sent = await stop()
  const isThere = (): boolean => all.every((heard) => faultsOf(heard, sent).missing === 0)
  await until('all is heard', isThere, { deadlineMs: 2_000 }).catch(() => {})
  return sent
}

async function connectSender(cleanup: AsyncDisposableStack, region: string) {
  const nc = await network.connect(await network.request({ name: region, region }), region)
  cleanup.defer(() => nc.close())
  return nc
}

/** Numbers begin at 0 when everybody hears everybody. */
async function warmUp(connections: readonly NatsConnection[], all: readonly Heard[]) {
  await until('everybody hears everybody', () => {
    for (const [index, nc] of connections.entries())
      for (const subject of subjects) nc.publish(subject, `${senders[index]} -1`)
    return all.every((heard) => [...heard.values()].every((numbers) => numbers.length > 0))
  })
}

/** Each sender sends its share on every subject; resolves with how many that were. */
function startSending(connections: readonly NatsConnection[]): () => Promise<number> {
  const started = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - started) * perSecond) / 1000 / senders.length
    for (; sent < due; sent++)
      for (const [index, nc] of connections.entries())
        for (const subject of subjects) nc.publish(subject, `${senders[index]} ${sent}`)
  }, 5)
  return async () => {
    clearInterval(timer)
    await Promise.all(connections.map((nc) => nc.flush()))
    return sent
  }
}

async function renewOften(member: Member, times: number): Promise<void> {
  const { iat } = member.credential.creds.user.claims
  await until('the next second', () => Date.now() >= (iat + 1) * 1000)
  for (let time = 0; time < times; time++) await member.renewNow()
}

function faultsOf(heard: Heard, sent: number) {
  const faults = { missing: 0, twice: 0, disordered: 0 }
  for (const all of heard.values()) {
    const numbers = all.filter((number) => number >= 0)
    const distinct = new Set(numbers)
    faults.missing += sent - distinct.size
    faults.twice += numbers.length - distinct.size
    faults.disordered += numbers.filter((number, at) => number < (numbers[at - 1] ?? -1)).length
  }
  return faults
}
