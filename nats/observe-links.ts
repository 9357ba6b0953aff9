import type { NatsConnection } from '@nats-io/nats-core'
import type { ObservedLink } from '../core/identity/link-report.ts'
import type { GatherOptions } from './gather.ts'
import { askServers, type Answer, type Gatewayz, type Routez } from './system.ts'

/** Every route and gateway that a server reports, once for each pair: the oldest of them. */
export async function observeLinks(
  connection: NatsConnection,
  options: GatherOptions = {},
): Promise<ObservedLink[]> {
  const [routez, gatewayz] = await Promise.all([
    askServers(connection, 'ROUTEZ', options),
    askServers(connection, 'GATEWAYZ', options),
  ])
  const names = new Map(routez.map(({ server }) => [server.id, server.name]))
  return oldest([
    ...routez.flatMap(routesOf),
    ...gatewayz.flatMap((answer) => gatewaysOf(answer, names)),
  ])
}

const routesOf = ({ server, data }: Answer<Routez>): ObservedLink[] =>
  data.routes.map(({ remote_name: remote, start }) => ({
    kind: 'route',
    server: server.name,
    remote,
    region: server.cluster ?? '',
    startMs: Date.parse(start),
  }))

function gatewaysOf(
  { server, data }: Answer<Gatewayz>,
  names: ReadonlyMap<string, string>,
): ObservedLink[] {
  const { outbound_gateways: outbound, inbound_gateways: inbound } = data
  const remotes = [
    ...Object.entries(outbound),
    ...Object.entries(inbound).flatMap(([region, all]) =>
      all.map((each) => [region, each] as const),
    ),
  ]
  return remotes.map(
    ([
      region,
      {
        connection: { name, start },
      },
    ]) => ({
      kind: 'gateway',
      server: server.name,
      remote: names.get(name) ?? name,
      region,
      startMs: Date.parse(start),
    }),
  )
}

function oldest(links: readonly ObservedLink[]): ObservedLink[] {
  const sorted = links.toSorted((a, b) => a.startMs - b.startMs)
  const key = ({ kind, server, remote }: ObservedLink) => `${kind} ${server} ${remote}`
  const first = new Map(sorted.toReversed().map((link) => [key(link), link]))
  return [...first].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, link]) => link)
}
