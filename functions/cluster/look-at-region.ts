// What the servers of a region say of themselves, by their monitoring ports, which are open inside of the
// cluster to those who prove it.
import type { Endpoint } from '../../core/network/endpoint.ts'
import { formatHostPort } from '../../core/network/endpoint.ts'
import type { SeenServer } from '../../core/network/region-proof.ts'

const answerMsMax = 2_000

/** Those that answer, in time and whole. */
export async function lookAtRegion(monitors: readonly Endpoint[]): Promise<SeenServer[]> {
  const seen = await Promise.all(monitors.map((monitor) => lookAtServer(monitor).catch(() => [])))
  return seen.flat()
}

async function lookAtServer(monitor: Endpoint): Promise<SeenServer[]> {
  const ask = async <T>(path: string): Promise<T> => {
    const url = `http://${formatHostPort(monitor.host, monitor.port)}/${path}`
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) })
    return (await response.json()) as T
  }
  const [varz, routez, gatewayz, leafz] = await Promise.all([
    ask<{ server_name: string; version: string }>('varz'),
    ask<{ routes?: readonly { remote_name?: string }[] }>('routez'),
    ask<{ outbound_gateways?: Readonly<Record<string, unknown>> }>('gatewayz'),
    ask<{ leafs?: readonly { name: string }[] | null }>('leafz'),
  ])
  const names = (routez.routes ?? []).flatMap(({ remote_name: name }) => name ?? [])
  return [
    {
      name: varz.server_name,
      version: varz.version,
      routes: [...new Set(names)],
      gateways: Object.keys(gatewayz.outbound_gateways ?? {}),
      leafnodes: (leafz.leafs ?? []).map(({ name }) => name),
    },
  ]
}
