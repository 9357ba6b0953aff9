// Certificates that live for seconds, under traffic between three regions, with rollovers of an
// authority and of both roots on top: nobody may notice.
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { formatUrl, type RegionPlace } from '../../core/network/endpoint.ts'
import { rollAuthorities, rollRoot } from '../../laptop/identity/roll-authority.ts'
import { leafnodePaths, serverPaths } from '../../laptop/layout.ts'
import { startSupercluster } from '../../laptop/supercluster.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { homesOf } from '../../store/homes.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { until } from '../until.ts'

const leafLifetimeSeconds = 8
const renewalsMin = 60
const pauseMs = 10

const network = await makeBareNetwork({ regions: 3, servers: 2 })
const { data } = network
const archipelago = { ...network.archipelago, identity: { leafLifetimeSeconds } }
const [lines, renewals]: [string[], string[]] = [[], []]
const supercluster = await startSupercluster({
  ...network.options,
  archipelago,
  report: (line) => lines.push(line),
  detail: (line) => renewals.push(line),
})
test.after.always(async () => {
  await supercluster.stop()
  await network[Symbol.asyncDispose]()
})

/** What a client lived through; it says what it was told, and counts. */
interface Client {
  readonly region: string
  readonly connection: NatsConnection
  readonly heard: Map<string, number[]>
  isLost: boolean
}

async function connectIn({ name: region, servers }: RegionPlace): Promise<Client> {
  const urls = servers.map(({ client }) => formatUrl(client))
  const connection = await network.connect(network.member, urls)
  const client: Client = { region, connection, heard: new Map(), isLost: false }
  connection.subscribe('soak.*', {
    callback: (_, { subject, data: bytes }) => {
      const numbers = client.heard.get(subject) ?? []
      client.heard.set(subject, [...numbers, Number(new TextDecoder().decode(bytes))])
    },
  })
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' || type === 'error') client.isLost = true
    }
  })()
  await connection.flush()
  return client
}

/** Numbered, until it is stopped; hands back how many there were. */
async function publish({ region, connection }: Client, signal: AbortSignal): Promise<number> {
  let sent = 0
  while (!signal.aborted) {
    connection.publish(`soak.${region}`, String(sent))
    sent += 1
    await delay(pauseMs)
  }
  await connection.flush()
  return sent
}

const logs = supercluster.regions.flatMap(({ servers, leafnode }) => [
  ...servers.map((server) => serverPaths(data, server).log),
  leafnodePaths(data, leafnode).log,
])
const faults =
  /\[ERR\]|\[WRN\].*(TLS|certificate|auth)|Authorization|Authentication|handshake error/

function faultsSince(starts: readonly number[]): string[] {
  return logs.flatMap((log, index) =>
    readFileSync(log, 'utf8')
      .slice(starts[index])
      .split('\n')
      .filter((line) => faults.test(line)),
  )
}

test('dozens of renewals, an authority and two roots: no message is missing, no handshake fails', async (t) => {
  t.timeout(90_000)
  const clients = await Promise.all(supercluster.regions.map(connectIn))
  const probe = clients.map(({ region }) => `soak.${region}`)
  await until('interest has spread', async () => {
    for (const { connection, region } of clients) connection.publish(`soak.${region}`, '-1')
    await delay(pauseMs)
    return clients.every(({ heard }) => probe.every((subject) => heard.has(subject)))
  })
  for (const { connection } of clients) await connection.flush()
  await delay(pauseMs)
  const starts = logs.map((log) => readFileSync(log, 'utf8').length)
  const pids = supercluster.pids()
  const stop = new AbortController()
  const publishing = clients.map((client) => publish(client, stop.signal))
  const place = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
  const rollover = {
    ...{ homes: homesOf(data), archipelago, nowMs: Date.now, report: () => {} },
    confirm: () => supercluster.confirm(() => {}),
  }
  await rollAuthorities(rollover, [place])
  await rollRoot(rollover, { kind: 'identity' })
  await rollRoot(rollover, { kind: 'public' })
  await until('dozens of renewals', () => renewals.length >= renewalsMin, { deadlineMs: 60_000 })
  stop.abort()
  const sent = await Promise.all(publishing)
  const expected = sent.map((count) => Array.from({ length: count }, (_, number) => number))
  await until('the last messages', () =>
    clients.every(({ heard }) =>
      probe.every((subject, index) => heard.get(subject)?.at(-1) === (sent[index] ?? 0) - 1),
    ),
  )
  for (const { heard } of clients)
    for (const [index, subject] of probe.entries())
      t.deepEqual(
        heard.get(subject)?.filter((number) => number >= 0),
        expected[index],
      )
  t.deepEqual(
    clients.filter(({ isLost }) => isLost).map(({ region }) => region),
    [],
  )
  t.deepEqual(faultsSince(starts), [])
  t.deepEqual(lines, [])
  t.deepEqual(supercluster.pids(), pids)
  t.log(`${renewals.length} renewals, ${sent.join(' + ')} messages`)
  for (const { connection } of clients) await connection.close()
})
