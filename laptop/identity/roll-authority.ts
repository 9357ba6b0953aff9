// Authorities replaced while everything runs: the next one is trusted everywhere before it signs, and
// the old one goes when nothing lives by it. What lies on the disk says where an interrupted one goes on.
import type { AuthorityPlace } from '../../core/identity/authority.ts'
import { openFiles } from '../../store/files.ts'
import {
  adoptNext,
  isOverlapOver,
  publishNext,
  rollStage,
  withdrawOthers,
} from '../../store/roll-intermediate.ts'
import { readRoot, type AuthorityStore } from '../../store/root.ts'

export interface Rollover extends Pick<AuthorityStore, 'homes' | 'archipelago'> {
  readonly nowMs: () => number
  /** Every process takes what is published, and has confirmed it when this returns. */
  readonly confirm: () => Promise<void>
  readonly report: (line: string) => void
}

const storeOf = ({ homes, archipelago, nowMs }: Rollover): AuthorityStore => ({
  ...{ homes, archipelago },
  files: openFiles(),
  nowMs: nowMs(),
})

/**
 * Regions' authorities, side by side; a rollover that was begun is finished. `isPatient`: the old ones
 * stay trusted until all that they signed has ended, and a later call withdraws them.
 */
export async function rollAuthorities(
  rollover: Rollover,
  places: readonly AuthorityPlace[],
  { isPatient = false }: { readonly isPatient?: boolean } = {},
): Promise<void> {
  const { confirm, report } = rollover
  const store = storeOf(rollover)
  const names = namesOf(places)
  for (const place of places)
    if (rollStage(store, place) === 'steady')
      await publishNext(store, place, () => readRoot(store, place.kind))
  const waiting = places.filter((place) => rollStage(store, place) === 'published')
  if (waiting.length > 0) {
    report(`${names}: the next authority is published beside the old one`)
    await confirm()
    for (const place of waiting) adoptNext(storeOf(rollover), place)
  }
  report(`${names}: the next authority signs`)
  await confirm()
  const leaving = places.filter((place) => !isPatient || isOverlapOver(storeOf(rollover), place))
  if (leaving.length === 0) return
  for (const place of leaving) withdrawOthers(storeOf(rollover), place)
  report(`${namesOf(leaving)}: the old authority is withdrawn`)
  await confirm()
}

const namesOf = (places: readonly AuthorityPlace[]) =>
  places.map(({ region, kind }) => `${region} ${kind}`).join(', ')
