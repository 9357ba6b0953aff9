// The one public file that a newcomer needs: where to ask, whom to trust, and the lobby's credential.
import * as z from 'zod'
import { Refusal } from '../errors.ts'
import { parseJson } from '../parse-json.ts'
import { parseOperator, type OperatorJwt } from '../trust/operator.ts'
import { parseCreds, type Creds } from '../trust/creds.ts'

const region = z.strictObject({
  name: z.string(),
  /** NATS servers' URLs. */
  servers: z.array(z.string()).min(1),
  /** By door: the functions' HTTPS URLs, for who cannot or will not ask over NATS. */
  https: z.partialRecord(z.enum(['lobby', 'invite', 'identity']), z.string()),
  /** Where its listeners for workloads are, and where a certificate is exchanged. */
  workloads: z
    .strictObject({ servers: z.array(z.string()).min(1), exchange: z.string() })
    .optional(),
  /** To which tokens for this region's function are sealed, signed by the operator. */
  tokenKey: z.string().optional(),
})
const shape = z.strictObject({
  version: z.literal(1),
  network: z.string(),
  /** The operator's JWT: the pin that everything is checked against. */
  operator: z.string(),
  /** PEM of the authorities of the servers' certificates. */
  ca: z.string(),
  regions: z.array(region).min(1),
  /** A creds file; public, although it has the form of a secret: it opens the lobby and nothing else. */
  lobbyCreds: z.string(),
})
export type NetworkFile = z.infer<typeof shape>
export type NetworkRegion = z.infer<typeof region>

export interface Network {
  readonly file: NetworkFile
  readonly operator: OperatorJwt
  readonly lobby: Creds
}

/** Refuses a file that is not whole, and one whose operator JWT does not verify. */
export function parseNetworkFile(text: string): Network {
  const file = parseJson(text, shape, { what: 'network file', code: 'ERR_NETWORK_FILE_ILLEGAL' })
  return { file, operator: parseOperator(file.operator), lobby: parseCreds(file.lobbyCreds) }
}

export function formatNetworkFile(file: NetworkFile): string {
  return `${JSON.stringify(file, undefined, 2)}\n`
}

/** The regions, the wanted one first: each is tried in turn. */
export function regionsFrom(file: NetworkFile, first?: string): NetworkRegion[] {
  const wanted = file.regions.filter(({ name }) => name === first)
  if (first !== undefined && wanted.length === 0)
    throw new Refusal(
      'ERR_REGION_UNKNOWN',
      `unknown region: '${first}' (${file.regions.map(({ name }) => name).join(', ')})`,
    )
  return [...wanted, ...file.regions.filter(({ name }) => name !== first)]
}
