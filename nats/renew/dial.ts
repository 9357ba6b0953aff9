import type { Creds } from '../../core/trust/creds.ts'
import { connectWithCreds, type NatsConnection, type Target } from '../connect.ts'
import type { Connect } from './line.ts'

/**
 * Dials the server of before if it can: the network knows already what is heard there, and what is
 * sent keeps its way. Else any server of the target.
 */
export function dialNear(target: Target): Connect {
  return async (current: () => Creds, near?: string): Promise<NatsConnection> => {
    if (near === undefined) return connectWithCreds(target, current)
    try {
      const nc = await connectWithCreds({ ...target, servers: [near] }, current)
      nc.setServers([...target.servers])
      return nc
    } catch {
      return connectWithCreds(target, current)
    }
  }
}
