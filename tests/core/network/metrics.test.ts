import test from 'ava'
import { formatMetrics, type ServerFigures } from '../../../core/network/metrics.ts'

const figures: ServerFigures = {
  version: '2.15.2',
  start: '2026-11-01T00:00:00.5Z',
  connections: 3,
  max_connections: 1000,
  total_connections: 7,
  subscriptions: 40,
  slow_consumers: 1,
  stale_connections: 0,
  routes: 8,
  leafnodes: 2,
  in_msgs: 10,
  out_msgs: 20,
  in_bytes: 100,
  out_bytes: 200,
  mem: 4096,
  cpu: 1.5,
}
const region = { region: 'ams3', servers: ['ams3-0', 'ams3-1'], peers: ['sfo2', 'sgp1'] }
const seen = (change: Partial<ServerFigures> = {}, name = 'ams3-0') =>
  new Map([
    [
      name,
      {
        figures: { ...figures, ...change },
        gateways: [{ name: 'sfo2', inbound_connections: 2 }],
      },
    ],
  ])

const samples = (text: string, name: string) =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))

test('who did not answer is down, and shows no figure of before', (t) => {
  const text = formatMetrics({ ...region, seen: seen() })
  t.deepEqual(samples(text, 'nats_server_up'), [
    'nats_server_up{region="ams3",server="ams3-0"} 1',
    'nats_server_up{region="ams3",server="ams3-1"} 0',
  ])
  t.deepEqual(samples(text, 'nats_server_connections'), [
    'nats_server_connections{region="ams3",server="ams3-0"} 3',
  ])
  t.deepEqual(samples(text, 'nats_server_bytes_total'), [
    'nats_server_bytes_total{region="ams3",server="ams3-0",direction="in"} 100',
    'nats_server_bytes_total{region="ams3",server="ams3-0",direction="out"} 200',
  ])
  t.deepEqual(samples(text, 'nats_server_start_time_seconds'), [
    'nats_server_start_time_seconds{region="ams3",server="ams3-0"} 1793491200.5',
  ])
})

test('where nobody could be asked, nobody is called down', (t) => {
  t.is(
    formatMetrics({ ...region, seen: undefined }),
    '# HELP nats_monitor_up Whether the system account of the region could be asked.\n' +
      '# TYPE nats_monitor_up gauge\n' +
      'nats_monitor_up{region="ams3"} 0\n',
  )
})

test('a region without a gateway is one with none, not one that nobody speaks of', (t) => {
  const text = formatMetrics({ ...region, seen: seen() })
  t.deepEqual(
    samples(text, 'nats_server_gateway_connections').map((line) => line.slice(-38)),
    [
      'server="ams3-0",peer="sfo2",direction="in"} 2',
      'server="ams3-0",peer="sfo2",direction="out"} 1',
      'server="ams3-0",peer="sgp1",direction="in"} 0',
      'server="ams3-0",peer="sgp1",direction="out"} 0',
    ].map((line) => line.slice(-38)),
  )
})

test('certificates and JetStream are shown where there are any', (t) => {
  const without = formatMetrics({ ...region, seen: seen() })
  t.notRegex(without, /certificate|jetstream/)
  const text = formatMetrics({
    ...region,
    seen: seen({
      tls_cert_not_after: '2026-11-01T01:00:00Z',
      gateway: { tls_cert_not_after: '2026-11-01T02:00:00Z' },
      jetstream: { stats: { memory: 5, storage: 6 } },
    }),
  })
  t.deepEqual(samples(text, 'nats_server_certificate_expiry_seconds'), [
    'nats_server_certificate_expiry_seconds{region="ams3",server="ams3-0",listener="client"} 1793494800',
    'nats_server_certificate_expiry_seconds{region="ams3",server="ams3-0",listener="gateway"} 1793498400',
  ])
  t.is(samples(text, 'nats_server_jetstream_bytes').length, 2)
})

test('a server cannot write lines of its own by what it says of itself', (t) => {
  const version = '2"} 1\nnats_server_up{server="ams3-1"} 1\\'
  const text = formatMetrics({ ...region, seen: seen({ version }) })
  t.deepEqual(samples(text, 'nats_server_info'), [
    'nats_server_info{region="ams3",server="ams3-0",version="2\\"} 1\\nnats_server_up{server=\\"ams3-1\\"} 1\\\\"} 1',
  ])
  t.is(samples(text, 'nats_server_up').length, 2)
})

test('each line is one of the format, and each name is explained once', (t) => {
  const text = formatMetrics({ ...region, seen: seen() })
  t.true(text.endsWith('\n'))
  for (const line of text.trimEnd().split('\n'))
    t.regex(line, /^(# (HELP|TYPE) nats_\w+ .+|nats_\w+\{[^}]*\} -?\d+(\.\d+)?)$/)
  const helped = [...text.matchAll(/^# HELP (\w+)/gm)].map(([, name]) => name)
  t.deepEqual(helped, [...new Set(helped)])
  const typed = [...text.matchAll(/^# TYPE (\w+) counter/gm)].map(([, name]) => name)
  t.true(typed.every((name) => name?.endsWith('_total')))
})
