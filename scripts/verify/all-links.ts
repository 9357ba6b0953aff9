// How old the links between servers are, and those of leafnodes, functions and workloads.
import type {
  ConnectionReport,
  CertifiedConnection,
} from '../../core/identity/connection-report.ts'
import { judgeLinks, type LinkReport, type ObservedLink } from '../../core/identity/link-report.ts'
import { observeLinks } from '../../nats/observe-links.ts'
import { readAuthorities } from '../../store/authorities.ts'
import { openFiles } from '../../store/files.ts'
import type { AuditedNetwork } from './all-connections.ts'

export interface LinkWishes {
  /** By server: how long the leaf lasts that it shows its peers now. */
  readonly lifetimesMs: ReadonlyMap<string, number>
  readonly ageSecondsMax?: number | undefined
  readonly nowMs: number
  readonly timeoutMs: number
}

export async function auditLinks(
  network: AuditedNetwork,
  { connections }: ConnectionReport,
  wishes: LinkWishes,
): Promise<LinkReport> {
  const meshed = await observeLinks(network.observer, { deadlineMs: wishes.timeoutMs })
  const links = [...meshed, ...connections.flatMap(linkOf)]
  return judgeLinks(links, { ...wishes, trustedSinceMs: trustedSince(network) })
}

/** What nobody recorded is a finding already. */
function linkOf({ kind, server, issued, startMs }: CertifiedConnection): ObservedLink[] {
  if (issued === undefined) return []
  const { holder: remote, region, notAfter } = issued
  return [{ kind, server, remote, region, startMs, certifiedUntilMs: Date.parse(notAfter) }]
}

function trustedSince({ archipelago, homes }: AuditedNetwork): Map<string, number> {
  const files = openFiles()
  return new Map(
    archipelago.regions.map(({ name: region }) => {
      const trusted = readAuthorities({ files, homes, archipelago }, { kind: 'identity', region })
      return [region, Math.min(...trusted.map(({ notBeforeMs }) => notBeforeMs))]
    }),
  )
}
