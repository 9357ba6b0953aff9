// Keeps a workload connected for longer than its credentials and certificates last.
import { regionsFrom } from '../core/access/network-file.ts'
import { startRenewing, type RenewedConnection } from '../nats/renew.ts'
import { dialNear } from '../nats/renew/dial.ts'
import type { RenewalStatus } from '../nats/renew/renewing.ts'
import { workloadTarget } from '../nats/workload-target.ts'
import { exchangeSvid, type SvidExchange } from './exchange-svid.ts'
import type { Credential } from './request-credential.ts'

export interface WorkloadConnection extends SvidExchange {
  /** Shown to whoever looks at the server's connections. */
  readonly name: string
  readonly onStatus?: (status: RenewalStatus) => void
}

/**
 * Connects to the wanted region's listeners for workloads, or to any where there is none. At half of a
 * credential's life, whatever certificate there is by then is exchanged for the next, and shown by the
 * connection that takes over. So no connection outlives the certificate by which it was made.
 */
export async function connectWorkload(
  wanted: WorkloadConnection,
): Promise<RenewedConnection<Credential>> {
  const { name, onStatus, ...exchange } = wanted
  const { network, region, workload } = exchange
  const regions = regionsFrom(network.file, region)
  const wished = region === undefined ? regions : regions.slice(0, 1)
  const servers = wished.flatMap(({ workloads }) => workloads?.servers ?? [])
  const again = (): Promise<Credential> => exchangeSvid(exchange)
  return startRenewing({
    credential: await again(),
    connect: dialNear(workloadTarget(workload, { servers, name })),
    renew: again,
    requestAgain: again,
    ...(onStatus && { onStatus }),
  })
}
