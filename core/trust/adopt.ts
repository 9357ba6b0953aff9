import { Refusal } from '../errors.ts'
import type { AccountJwt } from './account.ts'
import { formatScopeName } from './declare.ts'
import type { RegionKeys } from './region-keys.ts'
import { functionDoors } from '../network/access-subject.ts'

/** What is known before a region's keys are adopted. */
export interface Published {
  readonly regions: readonly RegionKeys[]
  readonly accounts: readonly AccountJwt[]
}

/**
 * Refuses a region's keys of which one has another place already: in another region, another role,
 * as an account, or twice in the same file. Who held both places would have the rights of both.
 */
export function requireUnclaimed(keys: RegionKeys, published: Published): void {
  const places = new Map(publishedPlaces(published, keys.region))
  for (const [key, place] of placesOf(keys)) {
    const taken = places.get(key)
    if (taken !== undefined && taken !== place)
      throw new Refusal(
        'ERR_REGION_KEYS_TAKEN',
        `region ${keys.region}: key of ${place} is already that of ${taken}: ${key}`,
      )
    places.set(key, place)
  }
}

type Place = readonly [key: string, place: string]

function publishedPlaces({ regions, accounts }: Published, except: string): Place[] {
  return [
    ...accounts.flatMap(({ claims }): Place[] => [
      [claims.sub, `account ${claims.name}`],
      ...claims.nats.signing_keys.map(({ key, role }): Place => [key, role]),
    ]),
    ...regions.filter(({ region }) => region !== except).flatMap(placesOf),
  ]
}

/** Every key with the one place that it may have; signing keys as the accounts name them. */
function placesOf({ region, leafnode, leafnodeUser, doors }: RegionKeys): Place[] {
  return [
    ...leafnode.map((key): Place => [key, `leafnode.${region}`]),
    [leafnodeUser, `leafnode user of ${region}`],
    ...functionDoors.flatMap((door) => {
      const { nkey, signingKeys } = doors[door] ?? {}
      return [
        ...(nkey === undefined ? [] : [[nkey, `function ${door} of ${region}`] as const]),
        ...Object.entries(signingKeys ?? {}).flatMap(([role, ofRole]) =>
          ofRole.map((key): Place => [key, formatScopeName({ role, door, region })]),
        ),
      ]
    }),
  ]
}
