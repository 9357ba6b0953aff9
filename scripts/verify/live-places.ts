import type { Archipelago } from '../../core/archipelago.ts'
import { placeNetwork, type RegionPlace } from '../../core/network/endpoint.ts'
import { withoutWithdrawn } from '../../core/network/withdrawn.ts'
import type { Homes } from '../../store/homes.ts'
import { readWithdrawn } from '../../store/public.ts'

/** Where the processes of the local network are, but for those whose identities were withdrawn. */
export function livePlaces(archipelago: Archipelago, homes: Homes): RegionPlace[] {
  const places = placeNetwork(archipelago, 'laptop')
  return withoutWithdrawn(archipelago, places, readWithdrawn(homes))
}
