import { randomBytes } from 'node:crypto'
import test from 'ava'
import { placeNetwork } from '../../../core/network/endpoint.ts'
import { configureLeafnode, type FunctionUser } from '../../../core/network/leafnode.ts'
import { nkeyPairFrom } from '../../../core/trust/nkey.ts'
import { planNetwork, writePlan } from '../../../laptop/configurations.ts'
import { runDirectory } from '../../../laptop/layout.ts'
import { readLoaded } from '../../../laptop/monitor.ts'
import { superviseProcesses } from '../../../laptop/supervisor.ts'
import { connectWithCreds, connectWithNkey } from '../../../nats/connect.ts'
import { mayPublish, maySubscribe } from '../../../nats/permission.ts'
import { leafnodeTarget } from '../../../laptop/identity/leafnode-target.ts'
import { homesOf } from '../../../store/homes.ts'
import { until } from '../../until.ts'
import { makeBareNetwork } from '../../laptop/bare-network.ts'

const { archipelago, ...network } = await makeBareNetwork()
test.after.always(() => network[Symbol.asyncDispose]())

const lobby: FunctionUser = {
  publicKey: 'ULOBBY',
  publish: ['_INBOX.>'],
  subscribe: ['chat.req.access'],
}

function configure(functions: readonly FunctionUser[], pins?: ReadonlyMap<string, string>) {
  const [region] = placeNetwork(archipelago, 'laptop')
  if (region === undefined) throw new TypeError('no region')
  const tls = { certificate: 'a.crt', key: 'a.key', trusted: 'ca.crt' }
  const files = { tls, credentials: 'leafnode.creds' }
  const place = { region, account: 'ACCESS', functions, ...(pins && { pins }) }
  return configureLeafnode(region.leafnode, place, files)
}

test('it dials its own region, with the credential file', (t) => {
  const { firstPort } = archipelago.laptop
  t.like(configure([lobby]), {
    leafnodes: {
      remotes: [
        {
          account: 'ACCESS',
          credentials: 'leafnode.creds',
          urls: [2, 12, 22].map((offset) => `tls://127.0.0.1:${firstPort + offset}`),
        },
      ],
    },
  })
})

test('it listens for functions on loopback, and for no leafnode', (t) => {
  const leafnode = configure([lobby])
  t.is(leafnode['listen'], `127.0.0.1:${archipelago.laptop.firstPort + 80}`)
  t.false('listen' in Object(leafnode['leafnodes']))
  t.false('port' in Object(leafnode['leafnodes']))
})

test('a function may do what its lists say', (t) => {
  const permissions = {
    publish: { allow: ['_INBOX.>'] },
    subscribe: { allow: ['chat.req.access'] },
  }
  t.like(configure([lobby]), { accounts: { ACCESS: { users: [{ nkey: 'ULOBBY', permissions }] } } })
})

test('an empty list denies all, though nats-server would allow all', (t) => {
  const mute = { ...lobby, publish: [], subscribe: [] }
  const permissions = { publish: { deny: ['>'] }, subscribe: { deny: ['>'] } }
  t.like(configure([mute]), { accounts: { ACCESS: { users: [{ permissions }] } } })
})

test('without a function there is no server, for one without users admits anybody', (t) => {
  const message = 'ams3-leafnode has no function'
  t.throws(() => configure([]), { instanceOf: TypeError, message })
})

test('it dials only servers whose keys it knows', (t) => {
  const pins = new Map([0, 1, 2].map((n) => [`ams3-${n}`, `pin ${n}`]))
  const tls = { verify: true, handshake_first: true, pinned_certs: ['pin 0', 'pin 1', 'pin 2'] }
  t.like(configure([lobby], pins), { leafnodes: { tls, remotes: [{ tls }] } })
})

test('the server admits its functions alone, and each may do what its lists say', async (t) => {
  const [mutePair, stranger] = [randomBytes(32), randomBytes(32)].map((entropy) =>
    nkeyPairFrom('user', entropy),
  )
  if (mutePair === undefined || stranger === undefined) return t.fail()
  const mute = { publicKey: mutePair.publicKey, publish: [], subscribe: [] }
  const users = network.options.access.functions.get('ams3') ?? []
  const functions = new Map(network.options.access.functions).set('ams3', [...users, mute])
  const access = { account: 'ACCESS', functions }
  const plan = await planNetwork(network.data, { ...network.options, access })
  writePlan(network.data, plan)
  const planned = plan.servers.find(({ name }) => name === 'ams3-leafnode')
  if (planned === undefined) return t.fail()
  await using supervisor = superviseProcesses({
    ...{ runDirectory: runDirectory(network.data), onExit: () => {} },
  })
  const { name, file, log, monitor } = planned
  supervisor.start({
    name,
    log,
    command: network.options.natsServer,
    args: ['-c', file],
    mark: file,
  })
  await until('the server runs', () => readLoaded(monitor))

  const [region] = plan.regions
  const place = region?.doors[0]
  if (region === undefined || place === undefined) return t.fail()
  const homes = homesOf(network.data)
  const target = {
    ...leafnodeTarget({ archipelago, homes, region, place }),
    ...{ name: 'test', options: { reconnect: false } },
  }
  await using lobbyFunction = await connectWithNkey(target, network.functionKey)
  await using muteFunction = await connectWithNkey(target, mutePair)
  t.true(await mayPublish(lobbyFunction, '_INBOX.a'))
  t.true(await maySubscribe(lobbyFunction, 'chat.req.access'))
  t.false(await mayPublish(lobbyFunction, 'chat.req.access'))
  t.false(await maySubscribe(lobbyFunction, '_INBOX.>'))
  t.false(await mayPublish(muteFunction, '_INBOX.a'))
  t.false(await maySubscribe(muteFunction, 'chat.req.access'))
  await t.throwsAsync(connectWithNkey(target, stranger), { code: 'ERR_CONNECT' })
  await t.throwsAsync(
    connectWithCreds(target, () => network.leafnode),
    { code: 'ERR_CONNECT' },
  )
})
