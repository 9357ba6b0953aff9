import type { Creds } from '../../core/trust/creds.ts'
import { connectWithCreds, type NatsConnection, type Target } from '../connect.ts'
import type { Connect } from './line.ts'

const firstMs = 250
const longestMs = 10_000

/**
 * Dials the server of before if it can: the network knows already what is heard there, and what is
 * sent keeps its way. Else any server of the target. Who is turned away comes back less and less often.
 */
export function dialNear(target: Target): Connect {
  return async (current, near) => {
    if (near === undefined) return dial(target, current)
    try {
      const nc = await dial({ ...target, servers: [near] }, current)
      nc.setServers([...target.servers])
      return nc
    } catch {
      return dial(target, current)
    }
  }
}

async function dial(target: Target, current: () => Creds): Promise<NatsConnection> {
  let dials = 0
  const counted = (): Creds => {
    dials += 1
    return current()
  }
  const reconnectDelayHandler = (): number => {
    const leastMs = Math.min(longestMs, firstMs * 2 ** Math.min(dials, 10))
    return leastMs * (1 + Math.random())
  }
  const options = { ...target.options, reconnectDelayHandler }
  const nc = await connectWithCreds({ ...target, options }, counted)
  dials = 0
  void (async () => {
    for await (const { type } of nc.status()) if (type === 'reconnect') dials = 0
  })()
  return nc
}
