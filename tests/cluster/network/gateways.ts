// What the servers of a region say of themselves, by the API server's way to their pods.
import type { Cluster } from '../lab/cluster.ts'

export const serversOf = ({ region }: Cluster): string[] => [0, 1, 2].map((n) => `${region}-${n}`)

/** By server: the regions to which it has a gateway of its own that is connected. */
export async function gatewaysOf(cluster: Cluster): Promise<Record<string, string[]>> {
  const found = await Promise.all(
    serversOf(cluster).map(async (name) => {
      const { outbound_gateways: outbound = {} } = (await monitor(cluster, name, 'gatewayz')) as {
        outbound_gateways?: Record<string, object>
      }
      return [name, Object.keys(outbound).toSorted()] as const
    }),
  )
  return Object.fromEntries(found)
}

/** Milliseconds to and fro, of every gateway of the region's own. */
export async function roundTripsOf(cluster: Cluster): Promise<number[]> {
  const found = await Promise.all(
    serversOf(cluster).map(async (name) => {
      const { outbound_gateways: outbound = {} } = (await monitor(cluster, name, 'gatewayz')) as {
        outbound_gateways?: Record<string, { connection?: { rtt?: string } }>
      }
      return Object.values(outbound).map(({ connection }) => millisecondsOf(connection?.rtt))
    }),
  )
  return found.flat()
}

/** As Go writes a duration of less than a minute: '145.2ms', '1.02s', '80µs'. */
function millisecondsOf(text = ''): number {
  const [, number, unit] = /^([\d.]+)(µs|ms|s)$/.exec(text) ?? []
  return Number(number ?? 0) * ({ µs: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1)
}

/** What the monitoring port of a pod answers. */
export async function monitor({ kubectl }: Cluster, pod: string, what: string): Promise<unknown> {
  const path = `/api/v1/namespaces/nats/pods/${pod}:8222/proxy/${what}`
  return JSON.parse(await kubectl(['get', '--raw', path]))
}
