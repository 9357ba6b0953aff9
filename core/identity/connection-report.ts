// Whose certificate a live connection came by: nats-server tells its digest, the record of issuance
// who got that certificate, and archipelago.yaml who may come there.
import type { Archipelago } from '../archipelago.ts'
import type { RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'
import { formatTime } from '../time.ts'
import { regionDomain } from './names.ts'
import type { Misfit, PeerFinding } from './peer-report.ts'
import type { Recorded } from './recorded.ts'
import { trustDomainOf, type SpiffeId } from './spiffe-id.ts'

/** A connection at a listener that asks for a certificate. */
export interface ObservedConnection {
  /** Who reports it. */
  readonly server: string
  readonly cid: number
  readonly kind: 'client' | 'leafnode'
  /** What it says of itself. */
  readonly name: string
  readonly startMs: number
  /** SHA-256 of the certificate, in hexadecimal; without one nothing was shown. */
  readonly sha256?: string
  /** Who may be there; without it whoever has an identity. */
  readonly expected?: readonly SpiffeId[]
}

/** With what the record says of its certificate. */
export interface CertifiedConnection extends ObservedConnection {
  readonly issued?: Recorded
}

export interface ConnectionFinding extends PeerFinding {
  /** Who reports the connection. */
  readonly server: string
}

export interface ConnectionReport {
  readonly connections: readonly CertifiedConnection[]
  readonly findings: readonly ConnectionFinding[]
}

/** `issued`: by digest, all that is recorded of these connections' certificates. */
export function judgeConnections(
  observed: readonly ObservedConnection[],
  {
    issued,
    archipelago,
    withdrawn = [],
  }: {
    issued: ReadonlyMap<string, Recorded>
    archipelago: Pick<Archipelago, 'trustDomain'>
    /** SPIFFE IDs that nobody is to be connected by. */
    withdrawn?: readonly string[]
  },
): ConnectionReport {
  const connections = observed.map((each): CertifiedConnection => {
    const found = issued.get(each.sha256 ?? '')
    return { ...each, ...(found && { issued: found }) }
  })
  return {
    connections,
    findings: connections.flatMap((each) => judge(each, { archipelago, withdrawn })),
  }
}

function judge(
  connection: CertifiedConnection,
  {
    archipelago,
    withdrawn,
  }: { archipelago: Pick<Archipelago, 'trustDomain'>; withdrawn: readonly string[] },
): ConnectionFinding[] {
  const { server, sha256, issued, expected } = connection
  const find = (misfit: Misfit, code: RefusalCode, what: string): ConnectionFinding[] => [
    { misfit, code, server, message: `${nameConnection(connection)}: ${what}` },
  ]
  if (issued === undefined) {
    const what = sha256 === undefined ? 'shows no certificate' : `no record of ${sha256}`
    return find('unknown', 'ERR_CERTIFICATE_UNKNOWN', what)
  }
  const { id, region } = issued
  if (id === undefined || trustDomainOf(id) !== regionDomain(archipelago, region)) {
    const what = id === undefined ? 'public' : quote(id)
    return find('id', 'ERR_PEER_ID', `recorded in ${region} as ${what}`)
  }
  if (withdrawn.includes(id))
    return find('id', 'ERR_IDENTITY_WITHDRAWN', `identity is withdrawn: ${quote(id)}`)
  if (expected?.includes(id) === false) {
    const wanted = expected.map(quote).join(' or ') || 'anybody known'
    return find('id', 'ERR_PEER_ID', `is ${quote(id)}, not ${wanted}`)
  }
  return []
}

export function formatConnection(connection: CertifiedConnection): string {
  const { issued, startMs } = connection
  const who = issued === undefined ? 'unknown' : `${issued.id ?? 'public'}, serial ${issued.serial}`
  return `${nameConnection(connection)}: ${who}, since ${formatTime(startMs)}`
}

const nameConnection = ({ kind, server, cid, name }: ObservedConnection) =>
  `${kind} ${server}#${cid}${name === '' ? '' : ` (${quote(name)})`}`
