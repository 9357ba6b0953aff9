// A root replaced while everything runs, with every region's authority below it. Whoever has the root's key
// signs; whoever runs the network takes what is published, and needs no key for it.
import type { AuthorityKind, AuthorityPlace } from '../../core/identity/authority.ts'
import { Refusal } from '../../core/errors.ts'
import type { Issuer } from '../../core/identity/issue.ts'
import { readRoots } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import { readAuthorities } from '../../store/authorities.ts'
import { isHere, readSigning } from '../../store/intermediate.ts'
import { publishNext, rollStage } from '../../store/roll-intermediate.ts'
import {
  adoptNextRoot,
  endRootRoll,
  isUnderNewestRoot,
  publishNextRoot,
  readNewestRoot,
  regionsUnderOldRoots,
  rootStage,
  withdrawOldRoots,
  type NextRootKey,
} from '../../store/roll-root.ts'
import type { AuthorityStore } from '../../store/root.ts'
import { laptopPlace } from './make-authorities.ts'
import { rollAuthorities, type Rollover } from './roll-authority.ts'

/** `isOnlyPublished`: it stops when the next root is known, so that outside clients can be told of it. */
export interface RootRoll {
  readonly kind: AuthorityKind
  readonly isOnlyPublished?: boolean | undefined
}

export interface RootOwner extends Omit<Rollover, 'confirm'> {
  /** Every process takes what is published, and what was begun is finished, when this returns. */
  readonly advance: (roll: RootRoll) => Promise<void>
}

/** Where one process does both. */
export const ownerOf = (rollover: Rollover): RootOwner => ({
  ...rollover,
  advance: (roll) => advanceRoot(rollover, roll),
})

const storeOf = ({ homes, archipelago, nowMs }: Omit<RootOwner, 'advance'>): AuthorityStore => ({
  ...{ homes, archipelago },
  files: openFiles(),
  nowMs: nowMs(),
})

/** What needs the root's key; refuses where regions are elsewhere, which have to request anew. */
export async function rollRoot(
  owner: RootOwner,
  { kind, isOnlyPublished = false, key }: RootRoll & { readonly key?: NextRootKey | undefined },
): Promise<void> {
  const { report, advance } = owner
  const stage = rootStage(storeOf(owner), kind)
  if (stage === 'steady') await publishNextRoot(storeOf(owner), kind, key)
  if (stage !== 'adopted') {
    report(`the next ${kind} root is published beside the old one`)
    await advance({ kind, isOnlyPublished: true })
    if (isOnlyPublished) return
  }
  const sign = stage === 'adopted' ? readNewestRoot : adoptNextRoot
  // Where nothing is left to sign its key may be away again.
  const isSigning = stage !== 'adopted' || unsigned(storeOf(owner), kind).length > 0
  const root = isSigning ? await sign(storeOf(owner), kind, key) : undefined
  report(`the next ${kind} root signs`)
  // What was begun under the old root is finished by the first time, and is done once more.
  for (let times = 0; times < 2; times += 1) {
    if (root !== undefined) await signAll(storeOf(owner), kind, root)
    await advance({ kind })
    if (isWithdrawn(storeOf(owner), kind)) return endRootRoll(storeOf(owner), kind)
  }
  const left = regionsUnderOldRoots(storeOf(owner), kind).join(', ')
  throw new Refusal('ERR_AUTHORITY_UNSIGNED', `of the old ${kind} root are authorities of ${left}`)
}

const isWithdrawn = ({ files, homes }: AuthorityStore, kind: AuthorityKind) =>
  readRoots(files, homes, kind).length === 1

/** Whose next authority is to be signed, and whose home is here. */
const unsigned = (store: AuthorityStore, kind: AuthorityKind) =>
  placesHere(store, kind).filter((place) => {
    const [newest] = readAuthorities(store, place)
    return newest === undefined || !isUnderNewestRoot(store, kind, newest)
  })

const placesHere = (store: AuthorityStore, kind: AuthorityKind): AuthorityPlace[] =>
  store.archipelago.regions
    .map(({ name }) => laptopPlace(name, kind))
    .filter((place) => isHere(store, place))

async function signAll(store: AuthorityStore, kind: AuthorityKind, root: Issuer): Promise<void> {
  for (const place of unsigned(store, kind))
    // What waits to be adopted is of a key that is signed for already.
    if (rollStage(store, place) !== 'published')
      await publishNext(store, place, () => Promise.resolve(root))
}

/** What needs no key of a root. */
export async function advanceRoot(
  rollover: Rollover,
  { kind, isOnlyPublished = false }: RootRoll,
): Promise<void> {
  const { confirm, report } = rollover
  if (isOnlyPublished) return confirm()
  const places = placesHere(storeOf(rollover), kind)
  const begun = places.filter((place) => rollStage(storeOf(rollover), place) !== 'steady')
  if (begun.length > 0) await rollAuthorities(rollover, begun)
  const store = storeOf(rollover)
  const isDone =
    rootStage(store, kind) === 'adopted' && places.every((each) => isUnder(store, each))
  if (!isDone || regionsUnderOldRoots(store, kind).length > 0) return
  withdrawOldRoots(store, kind)
  report(`the old ${kind} root is withdrawn`)
  await confirm()
}

function isUnder(store: AuthorityStore, place: AuthorityPlace): boolean {
  const signing = readSigning(store, place)
  return signing !== undefined && isUnderNewestRoot(store, place.kind, signing.certificate)
}
