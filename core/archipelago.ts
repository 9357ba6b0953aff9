import type { Door } from './access/door.ts'
import type { IssuerKind } from './archipelago/identity-schema.ts'
import { type Problem, show } from './archipelago/problem.ts'
import { brokenRules } from './archipelago/rules.ts'
import type { ArchipelagoSource } from './archipelago/schema.ts'
import type { ClientKind, GatewayKind } from './archipelago/region-schema.ts'
import { checkShape } from './archipelago/shape.ts'
import { type Fault, readSource } from './archipelago/source.ts'
import { Refusal } from './errors.ts'
import type { PublicJwk } from './identity/jwk-set.ts'
import type { Mesh } from './identity/mesh.ts'

export interface Region {
  readonly name: string
  readonly addresses: readonly string[]
  readonly servers: number
  readonly gateways: GatewayKind
  /** How clients from outside of its cluster come to it. */
  readonly clients: ClientKind
  /** IP addresses behind the names of its gateways; none where DNS knows them. */
  readonly nodes: readonly string[]
}

export interface Ports {
  readonly client: number
  readonly route: number
  readonly leafnode: number
  readonly gateway: number
  readonly monitor: number
  readonly workload: number
  readonly https: number
  readonly mtls: number
}

/** Who vouches for workloads, and in which regions. */
export interface Issuer {
  readonly name: string
  readonly kind: IssuerKind
  /** The exact `iss` of its tokens; of JWT-SVIDs `spiffe://<trust domain>`. */
  readonly issuer: string
  /** The file of its keys, beside archipelago.yaml. */
  readonly jwks: string
  readonly regions: readonly string[]
  /** A JWK set's keys, public halves; none until the file was read. */
  readonly keys: readonly PublicJwk[]
}

/** A workload by its token, by whichever audience or by a fixed one too; or by its SPIFFE ID. */
export interface IdentityEntry {
  readonly issuer?: string | undefined
  readonly subject?: string | undefined
  readonly audience?: string | undefined
  readonly spiffeId?: string | undefined
}

/** A permission ceiling. Empty publish or subscribe means nothing at all (for NATS: everything). */
export interface Role {
  readonly name: string
  readonly account: string
  readonly doors: readonly Door[]
  readonly identity: readonly IdentityEntry[]
  /** Its workloads have no certificate of this network, and connect where people do. */
  readonly outside: boolean
  readonly lifetimeSeconds: number
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  readonly subscriptionsMax: number
  readonly payloadBytesMax: number
}

export interface Archipelago {
  readonly network: string
  readonly trustDomain: string
  /** Whose trust git carries; absent where there is none yet. */
  readonly operator?: string | undefined
  readonly regions: readonly Region[]
  readonly ports: Ports
  readonly laptop: { readonly address: string; readonly firstPort: number }
  readonly server: { readonly connectionsMax: number }
  readonly lobby: {
    readonly connectionsMax: number
    readonly connectionSecondsMax: number
    readonly subscriptionsMax: number
    readonly payloadBytesMax: number
  }
  readonly leafnode: { readonly lifetimeSeconds: number }
  readonly kubernetes: {
    readonly namespace: string
    readonly service: string
    readonly clusterDomain: string
    readonly gatewayNodePort: number
    readonly clientNodePort: number
    /** Whose authorities the operator signs, too. */
    readonly meshes: readonly Mesh[]
  }
  readonly gitops: {
    /** Exactly as Argo CD is told it. */
    readonly repository: string
    readonly branch: string
    /** Fingerprints of OpenPGP keys, 40 digits; empty where unsigned commits deploy too. */
    readonly signers: readonly string[]
  }
  readonly identity: { readonly leafLifetimeSeconds: number }
  readonly accounts: readonly { readonly name: string; readonly connectionsMax: number }[]
  readonly issuers: readonly Issuer[]
  readonly roles: readonly Role[]
}

const bytesMax = 256 * 1024
const faultsShownMax = 20
const problemsLocatedMax = 1000

/**
 * Reads archipelago.yaml; regions, accounts and roles keep its order. Refuses all that it does not
 * know, in one refusal with a line `<file>:<line>:<column>: <path>: <rule>: <value>` for each fault.
 */
export function parseArchipelago(text: string, file: string): Archipelago {
  if (Buffer.byteLength(text) > bytesMax) {
    throw refusal(file, [{ line: 1, column: 1, message: `larger than ${bytesMax} bytes` }])
  }
  const { value, faults, locate } = readSource(text)
  if (faults.length > 0) throw refusal(file, faults)
  const { data, problems } = checkShape(value)
  const all = [...problems, ...brokenRules(value)]
  // To look a place up takes time in proportion to the map around it.
  const found = all.slice(0, problemsLocatedMax).map((problem) => ({
    ...locate(problem),
    message: formatProblem(problem),
  }))
  if (data === undefined || found.length > 0) throw refusal(file, found)
  return toArchipelago(data)
}

function formatProblem({ path, message }: Problem): string {
  const keys = path.filter((step) => typeof step === 'string')
  const shown = keys.map((key) => (/^[\w-]{1,64}$/.test(key) ? key : show(key)))
  return shown.length === 0 ? message : `${shown.join('.')}: ${message}`
}

function refusal(file: string, faults: readonly Fault[]): Refusal {
  const lines = faults
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`)
  const all = [...new Set(lines)]
  const more = all.length > faultsShownMax ? [`and ${all.length - faultsShownMax} more`] : []
  const message = [...all.slice(0, faultsShownMax), ...more].join('\n')
  return new Refusal('ERR_ARCHIPELAGO_ILLEGAL', message)
}

function toArchipelago(source: ArchipelagoSource): Archipelago {
  const { connectionLifetime, ...lobby } = source.lobby
  return {
    ...source,
    regions: toList(source.regions),
    lobby: { ...lobby, connectionSecondsMax: connectionLifetime },
    leafnode: { lifetimeSeconds: source.leafnode.lifetime },
    gitops: { ...source.gitops, repository: source.gitops.repository ?? ownRepository(source) },
    identity: { leafLifetimeSeconds: source.identity.leafLifetime },
    accounts: toList(source.accounts),
    issuers: toList(source.issuers).map((issuer) => ({
      ...issuer,
      regions: issuer.regions ?? Object.keys(source.regions),
      keys: [],
    })),
    roles: toList(source.roles).map(({ lifetime, ...role }) => ({
      ...role,
      lifetimeSeconds: lifetime,
    })),
  }
}

const ownRepository = ({ trustDomain, network }: ArchipelagoSource) =>
  `https://git.${trustDomain}/${network}.git`

const toList = <T extends object>(map: Record<string, T>) =>
  Object.entries(map).map(([name, thing]) => ({ name, ...thing }))
