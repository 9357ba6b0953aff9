// Asks the servers of one region for their figures, through the system account.
import type { NatsConnection } from '@nats-io/nats-core'
import type { SeenFigures, ServerFigures } from '../core/network/metrics.ts'
import { gather } from './gather.ts'
import type { Answer, ServerIdentity } from './system.ts'

export interface FiguresWanted {
  readonly region: string
  /** Of its servers; with so many answers it is over. */
  readonly expected: number
  readonly deadlineMs?: number
}

/** By the name of the server; who does not answer in time is missing. */
export async function readFigures(
  connection: NatsConnection,
  { region, expected, deadlineMs = 2_000 }: FiguresWanted,
): Promise<Map<string, SeenFigures>> {
  const payload = JSON.stringify({ cluster: region, exact_match: true })
  const ask = async <T>(question: string): Promise<T[]> => {
    const subject = `$SYS.REQ.SERVER.PING.${question}`
    const messages = await gather(connection, subject, payload, { expected, deadlineMs })
    return messages.map((message) => message.json<T>())
  }
  const [varz, statsz] = await Promise.all([
    ask<Partial<Answer<ServerFigures>>>('VARZ'),
    ask<Stats>('STATSZ'),
  ])
  const gateways = new Map(statsz.map(({ server, statsz }) => [server.name, statsz?.gateways]))
  return new Map(
    varz.flatMap(({ server, data }) =>
      server === undefined || data === undefined
        ? []
        : [[server.name, { figures: data, gateways: gateways.get(server.name) ?? [] }]],
    ),
  )
}

interface Stats {
  readonly server: ServerIdentity
  readonly statsz?: { readonly gateways?: SeenFigures['gateways'] }
}
