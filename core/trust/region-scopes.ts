// Where the accounts publish a region's signing keys.
import { functionDoors } from '../network/access-subject.ts'
import type { AccountBody } from './account.ts'
import { formatScopeName } from './declare.ts'
import type { Nkey } from './nkey.ts'
import type { RegionKeys } from './region-keys.ts'

export interface RegionScope {
  /** The name of the ceiling, as in `member.lobby.ams3`. */
  readonly scope: string
  readonly keys: readonly Nkey<'account'>[]
}

export function leafnodeScopeName(region: string): string {
  return `leafnode.${region}`
}

export function regionScopes({ region, leafnode, monitor, doors }: RegionKeys): RegionScope[] {
  const ofDoors = functionDoors.flatMap((door) =>
    Object.entries(doors[door]?.signingKeys ?? {}).map(([role, keys]) => ({
      scope: formatScopeName({ role, door, region }),
      keys,
    })),
  )
  return [
    { scope: leafnodeScopeName(region), keys: leafnode },
    ...(monitor === undefined ? [] : [{ scope: `monitor.${region}`, keys: monitor }]),
    ...ofDoors,
  ]
}

/**
 * The account with this region's keys in place of those that it publishes now. Ceilings stay as they
 * were signed: what archipelago.yaml says by now is not this change's business.
 */
export function replaceRegionKeys(body: AccountBody, keys: RegionKeys): AccountBody {
  const wanted = new Map(regionScopes(keys).map(({ scope, keys }) => [scope, keys]))
  const isFirst = (at: number): boolean =>
    body.signing_keys.findIndex(({ role }) => role === body.signing_keys[at]?.role) === at
  const signing_keys = body.signing_keys.flatMap((scope, at) => {
    const fresh = wanted.get(scope.role)
    if (fresh === undefined) return [scope]
    return isFirst(at) ? fresh.map((key) => ({ ...scope, key })) : []
  })
  return { ...body, signing_keys }
}
