import test from 'ava'
import { parseSpiffeId } from '../../../core/identity/spiffe-id.ts'
import { placeNetwork } from '../../../core/network/endpoint.ts'
import { expectedFunctions, expectedServers } from '../../../core/network/expected.ts'
import { placeOfIdentity, withoutWithdrawn } from '../../../core/network/withdrawn.ts'
import { archipelago } from '../trust/example.ts'

const regions = placeNetwork(archipelago, 'laptop')
const idOf = (path: string, region = 'ams3') =>
  parseSpiffeId(`spiffe://${region}.${archipelago.trustDomain}${path}`)
const left = (...paths: string[]) => {
  const ids = paths.map((path) => idOf(path))
  return withoutWithdrawn(archipelago, regions, ids)[0] ?? regions[0]
}

test('a server that was withdrawn is not there, its region’s others are', (t) => {
  const names = left('/nats/server-1')?.servers.map(({ name }) => name)
  t.deepEqual(names, ['ams3-0', 'ams3-2'])
  t.deepEqual(expectedServers(archipelago, [idOf('/nats/server-1')]).slice(0, 3), [
    'ams3-0',
    'ams3-2',
    'sfo2-0',
  ])
})

test('nor is a function; the last one takes its leafnode server along', (t) => {
  const one = left('/function/lobby')
  t.deepEqual([one?.doors.some(({ door }) => door === 'lobby'), one?.isCut], [false, undefined])
  const none = left('/function/lobby', '/function/invite')
  t.deepEqual([none?.doors, none?.isCut], [[], true])
  const expected = expectedFunctions(archipelago, [idOf('/function/lobby')])
  t.false(expected.some(({ region, door }) => region === 'ams3' && door === 'lobby'))
  t.is(expected.length, 5)
})

test('without its leafnode server no function of a region is there', (t) => {
  t.like(left('/nats/leafnode'), { doors: [], isCut: true })
  t.is(expectedFunctions(archipelago, [idOf('/nats/leafnode')]).length, 4)
})

test('another region’s, or a workload’s, changes nothing', (t) => {
  t.deepEqual(left('/workload/billing'), regions[0])
  const other = withoutWithdrawn(archipelago, regions, [idOf('/nats/server-1', 'sfo2')])
  t.deepEqual(other[0], regions[0])
})

for (const [path, kind] of [
  ['/nats/server-0', 'server'],
  ['/nats/leafnode', 'leafnode'],
  ['/function/lobby', 'function'],
  ['/workload/billing', 'workload'],
  ['/nats/server-9', 'workload'],
] as const)
  test(`${path} of a region is a ${kind}`, (t) => {
    t.deepEqual(placeOfIdentity(archipelago, regions, idOf(path)), { kind, region: 'ams3' })
  })

test('of another trust domain it can be a workload alone', (t) => {
  const id = parseSpiffeId('spiffe://mesh.example.net/nats/leafnode')
  t.deepEqual(placeOfIdentity(archipelago, regions, id), { kind: 'workload', region: undefined })
})

test('one of no region is refused, and so is the last server of a region', (t) => {
  const id = idOf('/nats/server-0', 'fra1')
  t.throws(() => placeOfIdentity(archipelago, regions, id), {
    code: 'ERR_REGION_UNKNOWN',
    message: `identity of no region here: '${id}'`,
  })
  const lonely = regions.map((region) => ({ ...region, servers: region.servers.slice(0, 1) }))
  t.throws(() => placeOfIdentity(archipelago, lonely, idOf('/nats/server-0')), {
    code: 'ERR_SERVER_LAST',
    message: `the last server of region ams3: '${idOf('/nats/server-0')}'`,
  })
})
