import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { formatUrl } from '../../core/network/endpoint.ts'
import { serverPaths } from '../../laptop/layout.ts'
import { startSupercluster, type Supercluster } from '../../laptop/supercluster.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { observeNetwork, parseDurationMs } from '../../nats/observe-network.ts'
import { lookupAccount, updateAccount } from '../../nats/claims.ts'
import {
  askServer,
  askServers,
  kickConnection,
  pingServers,
  readConnections,
  reloadServer,
} from '../../nats/system.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { signAccount } from '../laptop/bare-trust.ts'
import { until } from '../until.ts'

const network = await makeBareNetwork({ regions: 2, servers: 2 })
let supercluster: Supercluster
let observer: NatsConnection
let pusher: NatsConnection

const clientUrls = () =>
  supercluster.regions.flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))

test.before(async () => {
  supercluster = await startSupercluster(network.options)
  observer = await network.connect(network.observer, clientUrls())
  pusher = await network.connect(network.pusher, clientUrls())
})

test.after.always(async () => {
  await observer?.close()
  await pusher?.close()
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
})

const names = ['ams3-0', 'ams3-1', 'sfo2-0', 'sfo2-1']

async function idOf(name: string): Promise<string> {
  const servers = await pingServers(observer, { expected: 4 })
  return servers.find((server) => server.name === name)?.id ?? ''
}

for (const question of ['VARZ', 'ROUTEZ', 'GATEWAYZ', 'LEAFZ'] as const) {
  test(`every server answers ${question}, with its name`, async (t) => {
    const answers = await askServers(observer, question, { expected: 4 })
    t.deepEqual(answers.map(({ server }) => server.name).toSorted(), names)
  })
}

test('with the expected answers it does not wait for more', async (t) => {
  const before = performance.now()
  await askServers(observer, 'VARZ', { expected: 4, stallMs: 60_000, deadlineMs: 60_000 })
  t.true(performance.now() - before < 10_000)
})

test('silence ends it, and who is missing is not in the list', async (t) => {
  const servers = await pingServers(observer, { expected: 5, stallMs: 1_000 })
  t.is(servers.length, 4)
})

test('the whole network is described in names', async (t) => {
  const observed = await observeNetwork(observer, { expected: 4 })
  const one = observed.find(({ name }) => name === 'sfo2-1')
  t.like(one, {
    cluster: 'sfo2',
    routes: ['sfo2-0'],
    rejectsUnknownClusters: true,
    hasWorkloadListener: true,
  })
  t.is(one?.outboundGateways[0]?.region, 'ams3')
  t.true(names.includes(one?.outboundGateways[0]?.server ?? ''))
  const leafnodes = observed.flatMap((server) => server.leafnodes)
  t.deepEqual(leafnodes.toSorted(), ['ams3-leafnode', 'sfo2-leafnode'])
})

test('options choose what a server answers', async (t) => {
  const account = network.options.trust.systemAccount
  const answers = await askServers(pusher, 'ACCOUNTZ', { expected: 4, options: { account } })
  t.is(answers.length, 4)
  t.true(answers.every(({ data }) => data.account_detail?.account_name === account))
})

test('who answers with an error is not in the list', async (t) => {
  const patience = { expected: 4, options: { account: 'ANOBODY' } }
  t.deepEqual(await askServers(pusher, 'ACCOUNTZ', patience), [])
})

test('connections come page by page, and one of them can be ended', async (t) => {
  const [url = ''] = clientUrls()
  await using client = await network.connect(network.member, [url])
  // Each server counts for itself, and it may come back to another one.
  const present = () => `${client.info?.server_id} ${client.info?.client_id}`
  const before = present()
  const id = await idOf('ams3-0')
  const key = network.member.pair.publicKey
  const found: number[] = []
  for await (const { cid, authorized_user } of readConnections(pusher, id, { auth: true })) {
    if (authorized_user === key) found.push(cid)
  }
  t.deepEqual(found, [client.info?.client_id ?? 0])
  await kickConnection(pusher, id, found[0] ?? 0)
  await until('the client came back as another connection', () => present() !== before)
  await client.flush()
})

test('a connection that is not there cannot be ended', async (t) => {
  await t.throwsAsync(kickConnection(pusher, await idOf('ams3-0'), 999_999), {
    code: 'ERR_SERVER_REFUSED',
    message: /^KICK refused by N[A-Z0-9]{55}: /,
  })
})

test('a server that is not there does not answer', async (t) => {
  const ask = askServer(pusher, 'NNOBODY', { question: 'VARZ', deadlineMs: 200 })
  await t.throwsAsync(ask)
})

test.serial('a reload is answered, also when the configuration is not taken', async (t) => {
  const server = supercluster.regions[0]?.servers[0]
  if (server === undefined) return t.fail()
  const { configuration } = serverPaths(network.data, server)
  const id = await idOf('ams3-0')
  const before = readFileSync(configuration, 'utf8')
  await t.notThrowsAsync(reloadServer(pusher, id))
  writeFileSync(
    configuration,
    before.replace('reject_unknown_cluster: true', 'reject_unknown_cluster: false'),
  )
  await t.throwsAsync(reloadServer(pusher, id), {
    code: 'ERR_SERVER_REFUSED',
    message: /^RELOAD refused by .*config reload not supported for Gateway/,
  })
  writeFileSync(configuration, before)
  await t.notThrowsAsync(reloadServer(pusher, id))
})

test.serial(
  'an account that is pushed is stored by every server, and can be looked up',
  async (t) => {
    await until('a second later', () => Date.now() % 1000 < 50)
    const { publicKey, jwt } = await signAccount('LOBBY', network.lobby, network.operator)
    const updates = await updateAccount(pusher, jwt, { expected: 4 })
    t.deepEqual(updates.map(({ server }) => server.name).toSorted(), names)
    t.true(updates.every(({ refusal }) => refusal === undefined))
    t.deepEqual(new Set(await lookupAccount(pusher, publicKey, { expected: 4 })), new Set([jwt]))
  },
)

test.serial('what is no account is refused by every server, in its words', async (t) => {
  const updates = await updateAccount(pusher, 'nonsense', { expected: 4 })
  t.is(updates.length, 4)
  t.true(updates.every(({ refusal }) => typeof refusal === 'string'))
})

test('a question that its user may not ask is not taken for silence', async (t) => {
  await t.throwsAsync(kickConnection(observer, await idOf('ams3-0'), 1))
})

for (const [text, ms] of [
  ['341.2µs', 0.3412],
  ['1.5ms', 1.5],
  ['2s', 2000],
  ['1m2.5s', 62_500],
  ['1h0m1s', 3_601_000],
  ['80ns', 0.000_08],
  ['', 0],
] as const) {
  test(`'${text}' is ${ms} ms`, (t) =>
    t.is(Number(parseDurationMs(text).toFixed(6)), Number(ms.toFixed(6))))
}
