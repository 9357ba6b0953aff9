// What a region's cluster publishes of itself, in one ConfigMap, and all of it that the operator reads:
// public halves, and requests for authorities.
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { allKinds, type AnyKind } from '../identity/authority.ts'
import { Refusal } from '../errors.ts'
import { parseClusterIssuer, type ClusterIssuer } from '../identity/cluster-issuer.ts'
import { openDoors } from '../network/access-subject.ts'
import { formatConfiguration, type Configuration } from '../network/configuration.ts'
import { functionPermissions } from '../network/function-permissions.ts'
import { configureFunctionUsers } from '../network/leafnode.ts'
import { formatRegionKeys, parseRegionKeys, type RegionKeys } from './region-keys.ts'
import type { Archipelago } from '../archipelago.ts'

export const regionPublicName = 'region-public'
const bytesMax = 256 * 1024

export interface RegionPublic {
  readonly keys: RegionKeys
  /** PEM, of the authorities that wait for a signature. */
  readonly requests: Readonly<Partial<Record<AnyKind, string>>>
  /** Absent where the cluster tells nobody. */
  readonly issuer?: ClusterIssuer
}

export const requestKey = (kind: AnyKind): string => `${kind}.csr`
export const issuerKey = 'token-issuer.json'
const functionUsersKey = (door: string): string => `leafnode-${door}.conf`

/** The entries of the ConfigMap that follow from the keys: themselves, and whom each leafnode server admits. */
export function formatRegionPublic(
  keys: RegionKeys,
  { roles }: Pick<Archipelago, 'roles'>,
): Record<string, string> {
  const users = openDoors(roles).flatMap((door) => {
    const nkey = keys.doors[door]?.nkey
    if (nkey === undefined) return []
    const permissions = functionPermissions(door, { region: keys.region, nkey })
    const admitted: Configuration = configureFunctionUsers('ACCESS', [
      { publicKey: nkey, ...permissions },
    ])
    const comment = `whom the leafnode server beside ${keys.region}'s function ${door} admits`
    return [[functionUsersKey(door), formatConfiguration(admitted, comment)] as const]
  })
  return { 'region.json': formatRegionKeys(keys), ...Object.fromEntries(users) }
}

const configMap = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  metadata: z.object({ name: z.literal(regionPublicName) }),
  data: z.record(z.string(), z.string()),
})

/** Reads what `kubectl get configmap region-public --output json` prints, or `yaml`; refuses any other. */
export function parseRegionPublic(text: string): RegionPublic {
  if (Buffer.byteLength(text) > bytesMax) throw illegal(`larger than ${bytesMax} bytes`)
  const { data: map, error } = configMap.safeParse(readYaml(text))
  if (error !== undefined) {
    const [issue] = error.issues
    throw illegal(`${issue?.path.join('.') ?? ''}: ${issue?.message}`)
  }
  const { 'region.json': keys, ...data } = map.data
  if (keys === undefined) throw illegal('no region.json')
  const requests = allKinds.flatMap((kind) => {
    const request = data[requestKey(kind)]
    return request === undefined ? [] : [[kind, request] as const]
  })
  const { [issuerKey]: issuer } = data
  return {
    keys: parseRegionKeys(keys),
    requests: Object.fromEntries(requests),
    ...(issuer !== undefined && { issuer: parseClusterIssuer(issuer) }),
  }
}

function readYaml(text: string): unknown {
  const document = parseDocument(text, { merge: false })
  if (document.errors.length > 0) throw illegal('neither JSON nor YAML')
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    throw illegal('with aliases')
  }
}

const illegal = (what: string) =>
  new Refusal('ERR_REGION_PUBLIC_ILLEGAL', `not a ConfigMap ${regionPublicName}: ${what}`)
