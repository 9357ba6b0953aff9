import { Refusal } from '../errors.ts'
import { functionDoors } from '../network/access-subject.ts'
import type { AccountJwt } from './account.ts'
import type { RegionKeys } from './region-keys.ts'
import { regionScopes } from './region-scopes.ts'

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
function placesOf(keys: RegionKeys): Place[] {
  const { region, leafnodeUser, doors } = keys
  return [
    ...regionScopes(keys).flatMap(({ scope, keys }) => keys.map((key): Place => [key, scope])),
    [leafnodeUser, `leafnode user of ${region}`],
    ...functionDoors.flatMap((door): Place[] => {
      const nkey = doors[door]?.nkey
      return nkey === undefined ? [] : [[nkey, `function ${door} of ${region}`]]
    }),
  ]
}
