import type { Archipelago } from '../archipelago.ts'
import { openDoors, type FunctionDoor } from './access-subject.ts'
import { placeNetwork } from './endpoint.ts'
import { withoutWithdrawn } from './withdrawn.ts'

/** The names of all servers that were not withdrawn, the same wherever they run. */
export function expectedServers(
  archipelago: Archipelago,
  withdrawn: readonly string[] = [],
): string[] {
  return placesOf(archipelago, withdrawn).flatMap(({ servers }) => servers.map(({ name }) => name))
}

/** Every region answers at every open door, but for what was withdrawn. */
export function expectedFunctions(
  archipelago: Archipelago,
  withdrawn: readonly string[] = [],
): { region: string; door: FunctionDoor }[] {
  const open = openDoors(archipelago.roles)
  return placesOf(archipelago, withdrawn).flatMap(({ name: region, doors }) =>
    open
      .filter((door) => doors.some((place) => place.door === door))
      .map((door) => ({ region, door })),
  )
}

const placesOf = (archipelago: Archipelago, withdrawn: readonly string[]) =>
  withoutWithdrawn(archipelago, placeNetwork(archipelago, 'distributed'), withdrawn)
