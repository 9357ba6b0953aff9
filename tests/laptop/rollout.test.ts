import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { formatUrl } from '../../core/network/endpoint.ts'
import type { NetworkSource } from '../../laptop/configurations.ts'
import { startSupercluster, type Supercluster } from '../../laptop/supercluster.ts'
import { makeBareNetwork } from './bare-network.ts'

const network = await makeBareNetwork({ servers: 2 })
const { data, options } = network
const three = options.archipelago
const two = { ...three, regions: three.regions.slice(0, 2).map(withOneServer) }
function withOneServer<T>(region: T) {
  return { ...region, servers: 1 }
}
const source = (change: Partial<NetworkSource>): NetworkSource => ({ ...options, ...change })
let supercluster: Supercluster

test.before(async () => {
  supercluster = await startSupercluster({ ...options, archipelago: two })
})

test.after.always(async () => {
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
})

const effects = (changes: readonly { name: string; effect: string }[]) =>
  Object.fromEntries(changes.map(({ name, effect }) => [name, effect]))

const effectsOf = (region: string, first: string, leafnode: string) => ({
  ...{ [`${region}-0`]: first, [`${region}-leafnode`]: leafnode },
})

const clientUrls = () =>
  supercluster.regions.flatMap(({ servers }) => servers.map(({ client }) => formatUrl(client)))

test.serial('what is the same changes nothing', async (t) => {
  const before = supercluster.pids()
  const changes = await supercluster.apply(source({ archipelago: two }), () => t.fail())
  t.true(changes.every(({ effect }) => effect === 'none'))
  t.deepEqual(supercluster.pids(), before)
})

test.serial('another limit is reloaded, and no process or connection ends', async (t) => {
  const archipelago = { ...two, server: { connectionsMax: 500 } }
  const before = supercluster.pids()
  const client = await network.connect(network.member, clientUrls())
  const connected = client.info?.client_id
  const lines: string[] = []
  const changes = await supercluster.apply(source({ archipelago }), (line) => lines.push(line))
  t.deepEqual(effects(changes), {
    ...effectsOf('ams3', 'reload', 'none'),
    ...effectsOf('sfo2', 'reload', 'none'),
  })
  t.deepEqual(lines, ['reload ams3-0', 'reload sfo2-0'])
  t.deepEqual(supercluster.pids(), before)
  await client.flush()
  t.is(client.info?.client_id, connected)
  await client.close()
})

test.serial('a preview says what growing takes, and does none of it', (t) => {
  const changes = supercluster.preview(source({ archipelago: three }))
  t.deepEqual(effects(changes), {
    ...{ ...effectsOf('ams3', 'restart', 'restart'), 'ams3-1': 'start' },
    ...{ ...effectsOf('sfo2', 'restart', 'restart'), 'sfo2-1': 'start' },
    ...{ ...effectsOf('sgp1', 'start', 'start'), 'sgp1-1': 'start' },
  })
  const [ams3] = changes
  t.true(ams3?.settings.includes('gateway.gateways'))
  t.false(existsSync(join(data, 'sgp1', 'servers')))
  t.false(existsSync(join(data, 'sgp1', 'tls')))
})

test.serial(
  'what is new starts when the others are ready for it, one after the other',
  async (t) => {
    const lines: string[] = []
    const expected = supercluster.preview(source({ archipelago: three }))
    const changes = await supercluster.apply(source({ archipelago: three }), (line) => {
      lines.push(line)
    })
    t.deepEqual(effects(changes), effects(expected))
    const begun = lines.filter((line) => /^(re)?start /.test(line))
    t.deepEqual(
      begun.map((line) => line.split(' ')),
      [
        ...['ams3-0', 'ams3-leafnode', 'sfo2-0', 'sfo2-leafnode'].map((name) => ['restart', name]),
        ...['ams3-1', 'sfo2-1', 'sgp1-0', 'sgp1-1', 'sgp1-leafnode'].map((name) => ['start', name]),
      ],
    )
    t.is((await supercluster.awaitMesh(1000)).length, 6)
  },
)

test.serial('what is removed ends, and the others forget it', async (t) => {
  const changes = await supercluster.apply(source({ archipelago: two }), () => {})
  t.deepEqual(effects(changes), {
    ...{ ...effectsOf('sgp1', 'stop', 'stop'), 'sgp1-1': 'stop' },
    ...{ ...effectsOf('ams3', 'restart', 'restart'), 'ams3-1': 'stop' },
    ...{ ...effectsOf('sfo2', 'restart', 'restart'), 'sfo2-1': 'stop' },
  })
  t.is(supercluster.pids().size, 4)
})

test.serial('ports that move take all processes with them together', async (t) => {
  const { laptop } = two
  const firstPort = laptop.firstPort + 40
  const lines: string[] = []
  const archipelago = { ...two, laptop: { ...laptop, firstPort } }
  await supercluster.apply(source({ archipelago }), (line) => lines.push(line))
  t.is(lines.length, 1)
  t.regex(lines[0] ?? '', /^restart ams3-0, .* together$/)
  t.is(supercluster.regions[0]?.servers[0]?.client.port, firstPort)
})

test.serial('a change that cannot be, for a port is taken, leaves all as it was', async (t) => {
  const firstPort = two.laptop.firstPort + 99
  const before = supercluster.pids()
  const holder = createServer().listen(firstPort, '127.0.0.1')
  await once(holder, 'listening')
  const archipelago = { ...two, laptop: { ...two.laptop, firstPort } }
  await t.throwsAsync(
    supercluster.apply(source({ archipelago }), () => t.fail()),
    { code: 'ERR_PORT_TAKEN' },
  )
  holder.close()
  t.deepEqual(supercluster.pids(), before)
  await t.notThrowsAsync(supercluster.awaitMesh(1000))
})
