import { regionsFrom, type Network } from '../core/access/network-file.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'

/** Between dialling one region and dialling the next as well. */
const headStartMs = 500
const dialMs = 1_500

/**
 * Enters the lobby in the wanted region, or in whichever is there: a region that is frozen takes
 * connections and says nothing, so the next one is dialled before it has failed. Refuses when none let
 * us in, with the last one's reason.
 */
export async function connectLobby(network: Network, region?: string): Promise<NatsConnection> {
  const regions = regionsFrom(network.file, region)
  const { promise, resolve, reject } = Promise.withResolvers<NatsConnection>()
  const timers: NodeJS.Timeout[] = []
  let isDecided = false
  let left = regions.length
  const dial = async (at: number): Promise<void> => {
    const next = timers[at + 1]
    try {
      const connection = await enter(network, regions[at]?.servers ?? [])
      if (isDecided) return await connection.close()
      isDecided = true
      resolve(connection)
    } catch (error) {
      left -= 1
      if (left === 0) reject(error)
      // No reason to give it the rest of its head start.
      else if (next !== undefined && !isDecided) start(at + 1)
    }
  }
  const started = new Set<number>()
  const start = (at: number): void => {
    clearTimeout(timers[at])
    if (isDecided || started.has(at) || at >= regions.length) return
    started.add(at)
    void dial(at)
  }
  regions.forEach((_, at) => timers.push(setTimeout(start, at * headStartMs, at)))
  try {
    return await promise
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}

async function enter(
  { file, lobby }: Network,
  servers: readonly string[],
): Promise<NatsConnection> {
  const options = { reconnect: false }
  const target = { servers, ca: file.ca, name: 'archipelago requestor', timeoutMs: dialMs, options }
  return connectWithCreds(target, () => lobby)
}
