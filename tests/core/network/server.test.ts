import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { digestConfiguration } from '../../../core/network/configuration.ts'
import { placeNetwork } from '../../../core/network/endpoint.ts'
import { configureServer, type ServerNetwork } from '../../../core/network/server.ts'
import { planNetwork, writePlan } from '../../../laptop/configurations.ts'
import { identityPaths, publicPaths } from '../../../laptop/layout.ts'
import { makeBareNetwork } from '../../laptop/bare-network.ts'

const run = promisify(execFile)
const network = await makeBareNetwork()
const { data, archipelago, options } = network
test.after.always(() => network[Symbol.asyncDispose]())

test('nats-server takes the configuration of every server and leafnode server, and agrees on its digest', async (t) => {
  const plan = await planNetwork(data, options)
  writePlan(data, plan)
  t.is(plan.servers.length, 12)
  for (const { name, file, configuration } of plan.servers) {
    const { stderr } = await run(options.natsServer, ['-t', '-c', file])
    t.true(stderr.includes(digestConfiguration(configuration)), `${name}: ${stderr}`)
  }
})

const pins = new Map(
  placeNetwork(archipelago, 'laptop').flatMap(({ servers, leafnode }) =>
    [...servers, leafnode].map(({ name }) => [name, `pin of ${name}`] as const),
  ),
)

function configure(placement: 'laptop' | 'distributed', change: Partial<ServerNetwork> = {}) {
  const regions = placeNetwork(archipelago, placement)
  const server = regions[1]?.servers[0]
  if (server === undefined) throw new TypeError('no such server')
  const { trust } = options
  const identity = identityPaths(data, server)
  const tls = {
    clients: publicPaths(data, server),
    region: { ...identity, trusted: 'region.pem' },
    network: { ...identity, trusted: 'network.pem' },
  }
  const files = { tls, resolverDirectory: '/resolver' }
  return configureServer(server, { regions, connectionsMax: 100, trust, ...change }, files)
}

test('a server is named after its region, which is its cluster and its gateway', (t) => {
  t.like(configure('laptop'), {
    server_name: 'sfo2-0',
    cluster: { name: 'sfo2' },
    gateway: { name: 'sfo2', reject_unknown_cluster: true },
  })
})

test('it dials its peers, and every server of every region', (t) => {
  const { routes, urls } = dialled(configure('distributed'))
  t.deepEqual(routes, [
    'tls://sfo2-1.sfo2.archipelago.example:6222',
    'tls://sfo2-2.sfo2.archipelago.example:6222',
  ])
  t.is(urls.length, 9)
  t.true(urls.includes('tls://sgp1-2.sgp1.archipelago.example:7522'))
})

test('with pins each listener admits only the processes that belong there', (t) => {
  const server = configure('laptop', { pins })
  t.like(server, {
    cluster: { tls: { verify: true, pinned_certs: ['pin of sfo2-1', 'pin of sfo2-2'] } },
    leafnodes: {
      tls: { verify: true, handshake_first: true, pinned_certs: ['pin of sfo2-leafnode'] },
    },
  })
  const others = ['ams3', 'sgp1'].flatMap((region) => [0, 1, 2].map((n) => `pin of ${region}-${n}`))
  t.like(server, { gateway: { tls: { verify: true, pinned_certs: others } } })
})

test('without pins routes and gateways compare names', (t) => {
  const tls = { verify: true, verify_cert_and_check_known_urls: true }
  t.like(configure('distributed'), { cluster: { tls }, gateway: { tls } })
})

test('every listener speaks TLS 1.3 and nothing older', (t) => {
  const tls = { min_version: '1.3' }
  const every = { tls, cluster: { tls }, gateway: { tls }, leafnodes: { tls }, websocket: { tls } }
  t.like(configure('laptop'), every)
})

for (const placement of ['laptop', 'distributed'] as const)
  test(`workloads show a certificate of any region's authority, ${placement}`, (t) => {
    const { websocket } = configure(placement, { pins })
    t.like(websocket, { tls: { verify: true, ca_file: 'network.pem' }, same_origin: true })
    t.false('no_tls' in Object(websocket))
    // A cookie would make of any page in a browser that browser's user.
    t.false('jwt_cookie' in Object(websocket))
  })

test('a server alone in its region admits no route at all, instead of every one', (t) => {
  const regions = archipelago.regions.map((region) => ({ ...region, servers: 1 }))
  const places = placeNetwork({ ...archipelago, regions }, 'laptop')
  t.like(configure('laptop', { regions: places, pins }), {
    cluster: { routes: [], tls: { pinned_certs: ['0'.repeat(64)] } },
  })
})

test('a peer whose key is not known is a mistake, not an open door', (t) => {
  const without = new Map([...pins].filter(([name]) => name !== 'sfo2-1'))
  t.throws(() => configure('laptop', { pins: without }), { instanceOf: TypeError })
})

test('what is bound to every address says under which name it is reached', (t) => {
  const advertised = 'sfo2-0.sfo2.archipelago.example'
  t.like(configure('distributed'), {
    listen: '0.0.0.0:4222',
    client_advertise: `${advertised}:4222`,
    cluster: { advertise: `${advertised}:6222` },
    gateway: { advertise: `${advertised}:7522` },
    leafnodes: { advertise: `${advertised}:7422` },
    websocket: { advertise: `${advertised}:9222` },
  })
  t.false('client_advertise' in configure('laptop'))
})

for (const placement of ['laptop', 'distributed'] as const) {
  test(`monitoring is on loopback, ${placement}`, (t) => {
    t.regex(JSON.stringify(configure(placement)['http']), /^"127\.0\.0\.1:\d+"$/)
  })
}

test('accounts are preloaded in one order, and none can be deleted over the wire', (t) => {
  const { accounts } = options.trust
  const reversed = { ...options.trust, accounts: accounts.toReversed() }
  const server = configure('laptop')
  t.deepEqual(
    Object.keys(server['resolver_preload'] ?? {}),
    accounts.map(({ publicKey }) => publicKey).toSorted(),
  )
  t.like(server, { resolver: { type: 'full', dir: '/resolver', allow_delete: false } })
  t.is(digestConfiguration(configure('laptop', { trust: reversed })), digestConfiguration(server))
})

test('JetStream is off', (t) => {
  t.false('jetstream' in configure('laptop'))
})

function dialled(server: ReturnType<typeof configureServer>) {
  const { cluster, gateway } = server as unknown as {
    cluster: { routes: string[] }
    gateway: { gateways: { urls: string[] }[] }
  }
  return { routes: cluster.routes, urls: gateway.gateways.flatMap(({ urls }) => urls) }
}
