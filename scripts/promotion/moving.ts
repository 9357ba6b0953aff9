// What moving forward and back have in common.
import type { Verdict } from '../../gitops/application.ts'
import type { Pin } from '../../gitops/promotion.ts'
import { formatRevision, revisionFile, type Commit } from '../../gitops/revision.ts'
import { pushChange, type Remote } from './repository.ts'
import type { Watched } from './watched.ts'

export interface Moving {
  readonly place: Remote
  /** Of all regions, in the order of archipelago.yaml. */
  readonly pins: readonly Pin[]
  /** Those that are to move, in that order. */
  readonly chosen: readonly Pin[]
  readonly without: readonly string[]
  readonly isSigned: boolean
  readonly isDryRun: boolean
  readonly watched: Watched
  readonly timeoutMs: number
  readonly report: (line: string) => void
}

export interface Moved {
  readonly region: string
  readonly from: Commit | undefined
  readonly state: Verdict['state'] | 'would-move'
  readonly why: string
}

/** One commit on the branch, for one region or several. */
export async function pushPins(
  { place, isSigned, report }: Moving,
  regions: readonly string[],
  { commit, subject }: { readonly commit: Commit; readonly subject: string },
): Promise<void> {
  const files = new Map(regions.map((region) => [revisionFile(region), formatRevision(commit)]))
  await pushChange(place, { files, message: `promote: ${subject}`, isSigned })
  report(subject)
}
