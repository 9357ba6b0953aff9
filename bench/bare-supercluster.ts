// Nine nats-servers with routes and gateways and nothing else: no TLS, no accounts, no leafnodes. What
// it takes until they are meshed is the floor under every start.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import type { Archipelago } from '../core/archipelago.ts'
import { formatConfiguration, type Configuration } from '../core/network/configuration.ts'
import {
  formatHostPort,
  placeNetwork,
  type Endpoint,
  type RegionPlace,
  type ServerPlace,
} from '../core/network/endpoint.ts'
import type { Finding } from '../core/network/topology.ts'
import { listenersOf } from '../laptop/listeners.ts'
import { awaitMesh } from '../laptop/mesh.ts'
import { refuseTakenPorts } from '../laptop/ports.ts'
import { startChild } from './child.ts'

const deadlineMs = 20_000
const observer = { user: 'observer', password: 'bench' }
/** What is left out on purpose. */
const leftOut: readonly Finding['code'][] = [
  ...(['gateway-open', 'tls-off', 'tls-unverified', 'workloads-closed'] as const),
]

/** Returns after how long every server reported its routes and gateways; then all are ended. */
export async function timeBareSupercluster(
  natsServer: string,
  { archipelago, folder }: { archipelago: Archipelago; folder: string },
): Promise<number> {
  const regions = placeNetwork(archipelago, 'laptop')
  await refuseTakenPorts(listenersOf(regions, []))
  const servers = regions.flatMap((region) => region.servers)
  await using stack = new AsyncDisposableStack()
  const started = performance.now()
  for (const server of servers) {
    const file = join(folder, `${server.name}.conf`)
    writeFileSync(file, formatConfiguration(configure(server, regions), server.name))
    const args = ['-c', file]
    stack.use(startChild({ name: server.name, command: natsServer, args, mark: file, log: file }))
  }
  await awaitMesh(expected(regions), {
    connect: () => connectAsObserver(servers),
    deadlineMs,
    mayRemain: ({ code }) => leftOut.includes(code),
  })
  return performance.now() - started
}

function configure(server: ServerPlace, regions: readonly RegionPlace[]): Configuration {
  const { name, region, client, route, gateway } = server
  const peers = regions.find((each) => each.name === region)?.servers ?? []
  return {
    server_name: name,
    listen: at(client),
    system_account: 'SYS',
    accounts: { SYS: { users: [observer] } },
    cluster: {
      name: region,
      listen: at(route),
      routes: peers.filter((peer) => peer !== server).map((peer) => `nats://${at(peer.route)}`),
    },
    gateway: {
      name: region,
      listen: at(gateway),
      gateways: regions.map((each) => ({
        name: each.name,
        urls: each.servers.map((peer) => `nats://${at(peer.gateway)}`),
      })),
    },
  }
}

function expected(regions: readonly RegionPlace[]) {
  return {
    regions: regions.map(({ name, servers }) => ({
      name,
      servers: servers.map((server) => server.name),
      leafnodes: [],
    })),
  }
}

function connectAsObserver(servers: readonly ServerPlace[]) {
  const { user, password: pass } = observer
  return connect({ servers: servers.map(({ client }) => at(client)), user, pass, timeout: 1_000 })
}

const at = ({ host, port }: Endpoint) => formatHostPort(host, port)
