// Authorities replaced while everything runs: the next one is trusted everywhere before it signs, and
// the old one goes when nothing lives by it. What lies on the disk says where an interrupted one goes on.
import type { AuthorityKind, AuthorityPlace } from '../../core/identity/authority.ts'
import { openFiles } from '../../store/files.ts'
import { readSigning } from '../../store/intermediate.ts'
import {
  adoptNext,
  isOverlapOver,
  publishNext,
  rollStage,
  withdrawOthers,
} from '../../store/roll-intermediate.ts'
import {
  adoptNextRoot,
  isUnderNewestRoot,
  publishNextRoot,
  rootStage,
  withdrawOldRoots,
} from '../../store/roll-root.ts'
import { readRoot, type AuthorityStore } from '../../store/root.ts'
import { laptopPlace } from './make-authorities.ts'

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

/** `isOnlyPublished`: it stops when the next root is known, so that outside clients can be told of it. */
export interface RootRoll {
  readonly kind: AuthorityKind
  readonly isOnlyPublished?: boolean | undefined
}

/** A root, and every region's authority below it. */
export async function rollRoot(
  rollover: Rollover,
  { kind, isOnlyPublished = false }: RootRoll,
): Promise<void> {
  const { confirm, report, archipelago } = rollover
  const store = storeOf(rollover)
  if ((await rootStage(store, kind)) === 'steady') {
    await publishNextRoot(store, kind)
    report(`the next ${kind} root is published beside the old one`)
    await confirm()
  }
  if (isOnlyPublished) return
  if ((await rootStage(store, kind)) === 'published') adoptNextRoot(store, kind)
  report(`the next ${kind} root signs`)
  const places = archipelago.regions.map(({ name }) => laptopPlace(name, kind))
  const left = () => places.filter((place) => !isDone(storeOf(rollover), place))
  if (left().length > 0) await rollAuthorities(rollover, left())
  // What was begun under the old root is finished by now, and has to be done once more.
  if (left().length > 0) await rollAuthorities(rollover, left())
  withdrawOldRoots(storeOf(rollover), kind)
  report(`the old ${kind} root is withdrawn`)
  await confirm()
}

function isDone(store: AuthorityStore, place: AuthorityPlace): boolean {
  const signing = readSigning(store, place)
  return (
    signing !== undefined &&
    rollStage(store, place) === 'steady' &&
    isUnderNewestRoot(store, place.kind, signing.certificate)
  )
}
