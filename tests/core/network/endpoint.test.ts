import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { type Archipelago, type Region, parseArchipelago } from '../../../core/archipelago.ts'
import {
  type Endpoint,
  formatHostPort,
  formatUrl,
  placeNetwork,
  type RegionPlace,
} from '../../../core/network/endpoint.ts'

const file = join(import.meta.dirname, '../../../archipelago.yaml')
const archipelago = parseArchipelago(readFileSync(file, 'utf8'), file)

test('on a laptop the regions follow each other, a hundred ports apart', (t) => {
  const [ams3, sfo2] = placeNetwork(archipelago, 'laptop')
  const [first, second] = ams3?.servers ?? []
  const at = (port: number) => ({ host: '127.0.0.1', listen: '127.0.0.1', port })
  t.deepEqual(first, {
    ...{ name: 'ams3-0', region: 'ams3', index: 0 },
    ...{ client: at(14_200), route: at(14_201), leafnode: at(14_202) },
    ...{ gateway: at(14_203), monitor: at(14_204), workload: at(14_205) },
  })
  t.like(second, { name: 'ams3-1', client: at(14_210) })
  t.like(ams3?.leafnode, { name: 'ams3-leafnode', client: at(14_280), monitor: at(14_281) })
  t.deepEqual(
    ams3?.doors.map(({ name, https }) => [name, https.port]),
    [
      ['ams3-lobby', 14_290],
      ['ams3-invite', 14_291],
      ['ams3-identity', 14_292],
      ['ams3-legacy', 14_293],
    ],
  )
  t.like(sfo2?.servers[0], { name: 'sfo2-0', client: at(14_300) })
})

test('on a laptop no two listeners share a port, however many servers fit', (t) => {
  const regions = archipelago.regions.map((region) => ({ ...region, servers: 8 }))
  const endpoints = placeNetwork({ ...archipelago, regions }, 'laptop').flatMap(endpointsOf)
  t.is(new Set(endpoints.map((each) => formatUrl(each))).size, endpoints.length)
})

test('apart from each other, servers have names under their region and the ports of the file', (t) => {
  const [, sfo2] = placeNetwork(archipelago, 'distributed')
  const open = { host: 'sfo2-2.sfo2.archipelago.example', listen: '0.0.0.0' }
  t.like(sfo2?.servers[2], {
    client: { ...open, port: 4222 },
    route: { ...open, port: 6222 },
    leafnode: { ...open, port: 7422 },
    gateway: { ...open, port: 7522 },
    workload: { ...open, port: 9222 },
  })
})

for (const placement of ['laptop', 'distributed'] as const) {
  test(`monitoring and the functions' server are inside, ${placement}`, (t) => {
    for (const { servers, leafnode } of placeNetwork(archipelago, placement)) {
      const inside = [leafnode.client, leafnode.monitor, ...servers.map(({ monitor }) => monitor)]
      t.true(inside.every(({ listen }) => listen === '127.0.0.1'))
    }
  })
}

test('monitoring stays on loopback where the laptop shows itself to others', (t) => {
  const laptop = { ...archipelago.laptop, address: '192.0.2.7' }
  const [ams3] = placeNetwork({ ...archipelago, laptop }, 'laptop')
  t.is(ams3?.servers[0]?.client.listen, '192.0.2.7')
  t.is(ams3?.servers[0]?.monitor.listen, '127.0.0.1')
})

const refusals: readonly [string, Partial<Archipelago>, string][] = [
  [
    'more servers than a region has ports for',
    { regions: [{ ...archipelago.regions[0], name: 'ams3', servers: 9 } as Region] },
    'at most 8 servers on a laptop: 9 servers in region ams3',
  ],
  [
    'a region past the last port',
    { laptop: { address: '127.0.0.1', firstPort: 65_400 } },
    'laptop.firstPort is too high: region sfo2 begins at 65500',
  ],
]

for (const [what, change, message] of refusals) {
  test(`refuses ${what}`, (t) => {
    const place = () => placeNetwork({ ...archipelago, ...change }, 'laptop')
    t.throws(place, { code: 'ERR_PORTS_EXHAUSTED', message })
  })
}

test('an IPv6 address stands in brackets', (t) => {
  t.is(formatHostPort('::1', 4222), '[::1]:4222')
  t.is(formatHostPort('localhost', 4222), 'localhost:4222')
})

function endpointsOf({ servers, leafnode, doors }: RegionPlace): Endpoint[] {
  return [
    ...servers.flatMap((one) => [one.client, one.route, one.leafnode, one.gateway]),
    ...servers.flatMap((one) => [one.workload, one.monitor]),
    ...[leafnode.client, leafnode.monitor],
    ...doors.map(({ https }) => https),
  ]
}
