// The figures of a region's servers, asked anew for each scrape: a connection, two questions, and gone. So no
// credential outlives a question by more than minutes, and none has to be renewed.
import { formatMetrics, type SeenFigures } from '../../core/network/metrics.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { connectWithCreds, type Target } from '../../nats/connect.ts'
import { readFigures } from '../../nats/read-figures.ts'

export interface FiguresSource {
  readonly region: string
  readonly servers: readonly string[]
  readonly peers: readonly string[]
  /** Where the servers are, as of now; refuses while the region is not adopted. */
  readonly target: () => Omit<Target, 'name'>
  /** A new one for each connection. */
  readonly mint: () => Creds
  readonly report: (line: string) => void
}

const dialMsMax = 2_000

/** What Prometheus is told; also where nobody can be asked, which is reported. */
export async function readRegionMetrics(source: FiguresSource): Promise<string> {
  const { region, servers, peers, report } = source
  const seen = await ask(source).catch((error: unknown) => {
    report(error instanceof Error ? error.message : String(error))
    return undefined
  })
  if (seen !== undefined) report(`${seen.size} of ${servers.length} servers of ${region} answer`)
  return formatMetrics({ region, servers, peers, seen })
}

async function ask({ region, servers, target, mint }: FiguresSource) {
  const creds = mint()
  const dialled = { ...target(), name: `monitor-${region}`, timeoutMs: dialMsMax }
  const nc = await connectWithCreds({ ...dialled, options: { reconnect: false } }, () => creds)
  try {
    const found = await readFigures(nc, { region, expected: servers.length })
    return known(found, servers)
  } finally {
    await nc.close()
  }
}

/** A server that is not of archipelago.yaml is not shown as one that is. */
const known = (found: ReadonlyMap<string, SeenFigures>, servers: readonly string[]) =>
  new Map([...found].filter(([name]) => servers.includes(name)))
