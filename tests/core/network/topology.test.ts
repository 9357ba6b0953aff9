import test from 'ava'
import { gatewayMatrix } from '../../../core/network/gateway-matrix.ts'
import {
  compareTopology,
  type ExpectedNetwork,
  type FindingCode,
  type ObservedServer,
} from '../../../core/network/topology.ts'

const names = ['ams3', 'sfo2', 'sgp1']

const expected: ExpectedNetwork = {
  regions: names.map((name) => ({
    name,
    servers: [`${name}-0`, `${name}-1`],
    leafnodes: [`${name}-leafnode`],
  })),
}

/** All of it whole: gateways go to the first server of the other region. */
const whole = names.flatMap((region) => [0, 1].map((index) => server(region, index)))

function server(region: string, index: number): ObservedServer {
  const others = names.filter((name) => name !== region)
  const on = { isRequired: true, isVerified: true }
  return {
    ...{ name: `${region}-${index}`, cluster: region, version: '2.15.2', configDigest: 'sha256:a' },
    tls: {
      clients: { isRequired: true, isVerified: false },
      routes: on,
      gateways: on,
      leafnodes: on,
    },
    rejectsUnknownClusters: true,
    hasWorkloadListener: true,
    routes: [`${region}-${1 - index}`],
    outboundGateways: others.map((to) => ({ region: to, server: `${to}-0`, rttMs: index + 1 })),
    inboundGateways:
      index === 1
        ? []
        : others.flatMap((from) =>
            [0, 1].map((n) => ({ region: from, server: `${from}-${n}`, rttMs: 1 })),
          ),
    leafnodes: index === 0 ? [`${region}-leafnode`] : [],
  }
}

const changed = (name: string, change: (one: ObservedServer) => Partial<ObservedServer>) =>
  whole.map((one) => (one.name === name ? { ...one, ...change(one) } : one))

test('nothing is found in a whole network', (t) => {
  t.deepEqual(compareTopology(expected, whole), [])
})

const off = { isRequired: false, isVerified: false }

const faults: readonly [string, readonly ObservedServer[], readonly [FindingCode, string][]][] = [
  [
    'a server that nobody expects',
    [...whole, { ...server('ams3', 0), name: 'rogue', cluster: 'ams3' }],
    [['server-unknown', 'rogue: a server that nobody expects, in cluster ams3']],
  ],
  [
    'two servers of one name',
    [...whole, server('ams3', 1)],
    [['server-twice', 'ams3-1: two servers answer by this name']],
  ],
  [
    'a server in another cluster',
    changed('sgp1-1', () => ({ cluster: 'ams3' })),
    [['region-wrong', 'sgp1-1: in cluster ams3, not sgp1']],
  ],
  [
    'a version that is too old',
    changed('sfo2-1', () => ({ version: '2.14.4' })),
    [['version-old', 'sfo2-1: runs 2.14.4, at least 2.14.5 is needed']],
  ],
  [
    'a missing route',
    changed('ams3-0', () => ({ routes: [] })),
    [['route-missing', 'ams3-0: no route to ams3-1']],
  ],
  [
    'a missing outbound gateway',
    changed('ams3-1', ({ outboundGateways }) => ({ outboundGateways: outboundGateways.slice(1) })),
    [['gateway-outbound-missing', 'ams3-1: no outbound gateway to sfo2']],
  ],
  [
    'a gateway that the other side does not know of',
    changed('sfo2-0', ({ inboundGateways }) => ({
      inboundGateways: inboundGateways.filter((gateway) => gateway.server !== 'ams3-1'),
    })),
    [['gateway-inbound-missing', 'ams3-1: no server of sfo2 reports its gateway']],
  ],
  [
    'a gateway open to every cluster',
    changed('ams3-0', () => ({ rejectsUnknownClusters: false })),
    [['gateway-open', 'ams3-0: admits gateways of unknown clusters']],
  ],
  [
    'a server where workloads cannot come',
    changed('ams3-0', () => ({ hasWorkloadListener: false })),
    [['workloads-closed', 'ams3-0: has no listener for workloads with TLS']],
  ],
  [
    'a missing leafnode',
    changed('sgp1-0', () => ({ leafnodes: ['another'] })),
    [['leafnode-missing', 'sgp1-leafnode: connected to no server of sgp1']],
  ],
  [
    'a listener without TLS',
    changed('ams3-0', ({ tls }) => ({ tls: { ...tls, clients: off, routes: off } })),
    [
      ['tls-off', 'ams3-0: its listener for clients has no TLS'],
      ['tls-off', 'ams3-0: its listener for routes has no TLS'],
    ],
  ],
  [
    'a listener that asks its peers for no certificate',
    changed('ams3-0', ({ tls }) => ({ tls: { ...tls, gateways: { ...off, isRequired: true } } })),
    [['tls-unverified', 'ams3-0: its listener for gateways asks for no certificate']],
  ],
]

for (const [what, observed, findings] of faults) {
  test(`finds ${what}`, (t) => {
    const found = compareTopology(expected, observed)
    t.deepEqual(
      found.map(({ code, message }) => [code, message]),
      findings,
    )
  })
}

test('a missing server is named first, and then what others miss by it', (t) => {
  const found = compareTopology(
    expected,
    whole.filter(({ name }) => name !== 'sfo2-0'),
  )
  t.deepEqual(found[0], {
    ...{ code: 'server-missing', subject: 'sfo2-0', message: 'sfo2-0: no answer' },
  })
  t.true(found.some(({ code }) => code === 'leafnode-missing'))
})

test('another configuration than the expected one is found only where one is expected', (t) => {
  const digests = new Map([
    ['ams3-0', 'sha256:a'],
    ['ams3-1', 'sha256:b'],
  ])
  t.deepEqual(compareTopology({ ...expected, digests }, whole), [
    {
      ...{ code: 'digest-differs', subject: 'ams3-1' },
      message: 'ams3-1: runs the configuration sha256:a, not sha256:b',
    },
  ])
})

test('the matrix counts gateways, and routes on its diagonal', (t) => {
  const observed = changed('ams3-1', () => ({ routes: [], outboundGateways: [] }))
  const [row] = gatewayMatrix(expected, observed)
  t.deepEqual(row, [
    { from: 'ams3', to: 'ams3', connected: 1, servers: 2, rttMs: undefined },
    { from: 'ams3', to: 'sfo2', connected: 1, servers: 2, rttMs: 1 },
    { from: 'ams3', to: 'sgp1', connected: 1, servers: 2, rttMs: 1 },
  ])
  t.is(gatewayMatrix(expected, whole)[0]?.[1]?.rttMs, 2)
})
