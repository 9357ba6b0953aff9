// What the servers of a region say of themselves, as Prometheus reads it (its text format, version 0.0.4).

/** Of what a server answers to VARZ, what is shown. */
export interface ServerFigures {
  readonly version: string
  readonly start: string
  readonly connections: number
  readonly max_connections: number
  readonly total_connections: number
  readonly subscriptions: number
  readonly slow_consumers: number
  readonly stale_connections: number
  readonly routes: number
  readonly leafnodes: number
  readonly in_msgs: number
  readonly out_msgs: number
  readonly in_bytes: number
  readonly out_bytes: number
  readonly mem: number
  readonly cpu: number
  readonly tls_cert_not_after?: string
  readonly cluster?: Listener
  readonly gateway?: Listener
  readonly leaf?: Listener
  readonly websocket?: Listener
  readonly jetstream?: { readonly stats?: { readonly memory: number; readonly storage: number } }
}

interface Listener {
  readonly tls_cert_not_after?: string
}

/** Of what a server answers to STATSZ: the other regions, as it is connected with them. */
export interface GatewayFigures {
  readonly name: string
  readonly inbound_connections: number
}

export interface SeenFigures {
  readonly figures: ServerFigures
  readonly gateways: readonly GatewayFigures[]
}

export interface RegionFigures {
  readonly region: string
  /** All that it should have; who did not answer is down. */
  readonly servers: readonly string[]
  /** The other regions. */
  readonly peers: readonly string[]
  /** By the name of the server; undefined where the system account could not be asked at all. */
  readonly seen: ReadonlyMap<string, SeenFigures> | undefined
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly of: (seen: SeenFigures, peers: readonly string[]) => readonly Sample[]
}

/** Every server of the region has `nats_server_up`, and the rest where it answered. */
export function formatMetrics({ region, servers, peers, seen }: RegionFigures): string {
  const asked: Sample[] = [[{ region }, seen === undefined ? 0 : 1]]
  const up = servers.map((server): Sample => [{ region, server }, seen?.has(server) ? 1 : 0])
  const answers = [...(seen ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...family({ name: 'nats_monitor_up', type: 'gauge', help: upHelp.monitor }, asked),
    // Where nobody could be asked, nobody is known to be down.
    ...family(
      { name: 'nats_server_up', type: 'gauge', help: upHelp.server },
      seen === undefined ? [] : up,
    ),
    ...metrics.flatMap((metric) =>
      family(
        metric,
        answers.flatMap(([server, found]) =>
          metric
            .of(found, peers)
            .map(([labels, value]): Sample => [{ region, server, ...labels }, value]),
        ),
      ),
    ),
    '',
  ].join('\n')
}

const upHelp = {
  monitor: 'Whether the system account of the region could be asked.',
  server: 'Whether a server of the region answered.',
}

function family(
  { name, type, help }: Pick<Metric, 'name' | 'type' | 'help'>,
  samples: readonly Sample[],
): string[] {
  if (samples.length === 0) return []
  const lines = samples.map(([labels, value]) => `${name}${formatLabels(labels)} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

const formatLabels = (labels: Labels) =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escape(value)}"`)
    .join(',')}}`

/** Servers and peers say their own names. */
const escape = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

type Plain = {
  [K in keyof ServerFigures]-?: ServerFigures[K] extends number ? K : never
}[keyof ServerFigures]

const plain = (type: Metric['type'], name: string, field: Plain, help: string): Metric => ({
  ...{ type, name: `nats_server_${name}`, help },
  of: ({ figures }) => [[{}, figures[field]]],
})

const bothWays = (name: string, ways: readonly [Plain, Plain], help: string): Metric => ({
  ...{ type: 'counter', name: `nats_server_${name}_total`, help },
  of: ({ figures }) => [
    [{ direction: 'in' }, figures[ways[0]]],
    [{ direction: 'out' }, figures[ways[1]]],
  ],
})

const metrics: readonly Metric[] = [
  {
    ...{ name: 'nats_server_info', type: 'gauge', help: 'The version that a server runs.' },
    of: ({ figures: { version } }) => [[{ version }, 1]],
  },
  {
    ...{ name: 'nats_server_start_time_seconds', type: 'gauge', help: 'When a server started.' },
    of: ({ figures: { start } }) => [[{}, secondsOf(start)]],
  },
  plain('gauge', 'connections', 'connections', 'Clients that are connected.'),
  plain('gauge', 'connections_max', 'max_connections', 'Clients that it admits.'),
  plain('counter', 'connections_total', 'total_connections', 'Clients that ever connected.'),
  plain('gauge', 'subscriptions', 'subscriptions', 'Subscriptions, those of routes among them.'),
  plain('counter', 'slow_consumers_total', 'slow_consumers', 'Clients cut for being too slow.'),
  plain('counter', 'stale_connections_total', 'stale_connections', 'Clients that fell silent.'),
  plain('gauge', 'routes', 'routes', 'Connections to servers of its region, several for each.'),
  plain('gauge', 'leafnodes', 'leafnodes', 'Leafnodes that are connected.'),
  {
    name: 'nats_server_gateway_connections',
    type: 'gauge',
    help: 'Connections from and to another region.',
    of: ({ gateways }, peers) =>
      peers.flatMap((peer): Sample[] => {
        const found = gateways.find(({ name }) => name === peer)
        return [
          [{ peer, direction: 'in' }, found?.inbound_connections ?? 0],
          [{ peer, direction: 'out' }, found === undefined ? 0 : 1],
        ]
      }),
  },
  bothWays('messages', ['in_msgs', 'out_msgs'], 'Messages, those between servers among them.'),
  bothWays('bytes', ['in_bytes', 'out_bytes'], 'Bytes of messages.'),
  plain('gauge', 'memory_bytes', 'mem', 'Resident memory.'),
  plain('gauge', 'cpu_percent', 'cpu', 'Of one processor.'),
  {
    name: 'nats_server_certificate_expiry_seconds',
    type: 'gauge',
    help: 'When the certificate that a listener shows ends.',
    of: ({ figures }) =>
      listeners(figures).flatMap(([listener, end]): Sample[] =>
        end === undefined ? [] : [[{ listener }, secondsOf(end)]],
      ),
  },
  {
    name: 'nats_server_jetstream_bytes',
    type: 'gauge',
    help: 'What JetStream holds, where it is on.',
    of: ({ figures: { jetstream } }) =>
      jetstream?.stats === undefined
        ? []
        : [
            [{ where: 'memory' }, jetstream.stats.memory],
            [{ where: 'storage' }, jetstream.stats.storage],
          ],
  },
]

const listeners = ({ tls_cert_not_after, cluster, gateway, leaf, websocket }: ServerFigures) =>
  [
    ['client', tls_cert_not_after],
    ['route', cluster?.tls_cert_not_after],
    ['gateway', gateway?.tls_cert_not_after],
    ['leafnode', leaf?.tls_cert_not_after],
    ['workload', websocket?.tls_cert_not_after],
  ] as const

const secondsOf = (time: string) => Date.parse(time) / 1000
