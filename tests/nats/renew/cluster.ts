// Two servers of one cluster without any rules, and if need be a slow way between them.
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { startTestServer, type TestServer } from '../../test-server.ts'
import { until } from '../../until.ts'

export interface Cluster extends AsyncDisposable {
  connect(server: number): Promise<NatsConnection>
  kill(server: number): Promise<void>
}

export async function startCluster({ delayMs }: { delayMs?: number } = {}): Promise<Cluster> {
  await using started = new AsyncDisposableStack()
  const cluster = { name: 'test', listen: '127.0.0.1:-1', no_advertise: true }
  const first = started.use(await startTestServer({ server_name: 'first', cluster }))
  const routes = [
    delayMs === undefined ? routeOf(first) : await slowDown(started, routeOf(first), delayMs),
  ]
  const second = started.use(
    await startTestServer({ server_name: 'second', cluster: { ...cluster, routes } }),
  )
  const servers = [first, second]
  const connectTo = async (server: number): Promise<NatsConnection> => {
    const nc = await connect({
      servers: [(servers[server] as TestServer).url],
      ignoreClusterUpdates: true,
      reconnectTimeWait: 50,
    })
    stack.defer(() => nc.close())
    return nc
  }
  const stack = started.move()
  await meet(await connectTo(0), await connectTo(1))
  return {
    connect: connectTo,
    kill: async (server) => servers[server]?.[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function meet(one: NatsConnection, other: NatsConnection): Promise<void> {
  let heard = false
  other.subscribe('meet', { callback: () => void (heard = true) })
  await until('the servers know each other', () => {
    one.publish('meet')
    return heard
  })
}

function routeOf({ folder }: TestServer): string {
  const file = readdirSync(folder).find((name) => name.endsWith('.ports')) as string
  const { cluster } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cluster: string[] }
  return cluster[0] as string
}

/** The same route, on which every byte takes longer. */
async function slowDown(
  started: AsyncDisposableStack,
  route: string,
  delayMs: number,
): Promise<string> {
  const { hostname: host, port } = new URL(route)
  const proxy = createServer((near) => {
    const far = createConnection({ host, port: Number(port) })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs))
      from.on('close', () => to.destroy())
      from.on('error', () => to.destroy())
    }
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  started.defer(() => void proxy.close())
  return `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}
