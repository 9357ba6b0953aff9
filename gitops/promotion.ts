// Which regions move to a commit, and in which order: that of archipelago.yaml, each when the one
// before it has been proven.
import { requireRegion } from '../core/known-region.ts'
import { shortCommit, type Commit } from './revision.ts'

/** What every region has in common: of the rest, a region reads its own folders alone. */
export const sharedPaths = ['manifests/base', 'manifests/components']

export interface Pin {
  readonly region: string
  /** Undefined where it follows the branch. */
  readonly commit: Commit | undefined
}

export interface Wishes {
  /** Only these, still in their order; all of them by default. */
  readonly only: readonly string[]
  /** Lost ones, which nobody waits for. */
  readonly without: readonly string[]
}

/** The regions that are to move, in order. Refuses a name that is no region's. */
export function chooseRegions(pins: readonly Pin[], { only, without }: Wishes): Pin[] {
  const regions = pins.map(({ region: name }) => ({ name }))
  for (const name of [...only, ...without]) requireRegion(regions, name)
  return pins.filter(
    ({ region }) => (only.length === 0 || only.includes(region)) && !without.includes(region),
  )
}

/** The region that has to be proven before this one moves: the last before it that is not lost. */
export function regionBefore(pins: readonly Pin[], region: string, without: readonly string[]) {
  const at = pins.findIndex((pin) => pin.region === region)
  return pins.slice(0, at).findLast((pin) => !without.includes(pin.region))
}

export const describePin = ({ region, commit }: Pin): string =>
  `${region} ${commit === undefined ? 'follows the branch' : `at ${shortCommit(commit)}`}`
