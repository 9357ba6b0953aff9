import type { Archipelago } from '../archipelago.ts'
import { openDoors, type FunctionDoor } from './access-subject.ts'
import { placeNetwork } from './endpoint.ts'

/** The names of all servers, the same wherever they run. */
export function expectedServers(archipelago: Archipelago): string[] {
  return placeNetwork(archipelago, 'distributed').flatMap(({ servers }) =>
    servers.map(({ name }) => name),
  )
}

/** Every region answers at every open door. */
export function expectedFunctions({
  regions,
  roles,
}: Archipelago): { region: string; door: FunctionDoor }[] {
  return regions.flatMap(({ name: region }) => openDoors(roles).map((door) => ({ region, door })))
}
