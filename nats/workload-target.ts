// How a workload dials the servers: it shows its certificate, and speaks to whoever is a server of one
// of the regions that it knows.
import { isServerId } from '../core/identity/names.ts'
import type { Target } from './connect.ts'
import { mutualTls, type Workload } from './mutual-tls.ts'
import { openWebSocket } from './open-websocket.ts'

const server = { what: 'a server', isPeer: isServerId }

/** `servers`: URLs of listeners for workloads. */
export function workloadTarget(
  workload: Workload,
  { timeoutMs = 5_000, ...target }: Omit<Target, 'ca' | 'identity' | 'open'>,
): Target {
  return {
    ...{ ...target, timeoutMs, ca: '' },
    open: (at) => openWebSocket(at, { tls: mutualTls(workload, server), timeoutMs }),
  }
}
