import { Refusal } from './errors.ts'
import { quote } from './quote.ts'

/** The region of that name; refuses any other with the names that there are. */
export function requireRegion<T extends { readonly name: string }>(
  regions: readonly T[],
  name: string,
): T {
  const region = regions.find((each) => each.name === name)
  if (region !== undefined) return region
  const known = regions.map((each) => each.name).join(', ')
  throw new Refusal('ERR_REGION_UNKNOWN', `unknown region: ${quote(name)} (${known})`)
}
