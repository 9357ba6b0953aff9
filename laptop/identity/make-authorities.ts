// The homes of a laptop are folders, so here one process takes all the steps that are elsewhere taken
// by the operator and each region: roots, requests, signatures, adoption.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  authorityKinds,
  type AuthorityKind,
  type AuthorityPlace,
} from '../../core/identity/authority.ts'
import { Refusal, type RefusalCode } from '../../core/errors.ts'
import type { Issuer } from '../../core/identity/issue.ts'
import { isIntermediateDue } from '../../core/identity/lifetime.ts'
import { readIntermediates } from '../../store/authority-files.ts'
import { publishBundles } from '../../store/bundles.ts'
import { publishIntermediate, readSigning } from '../../store/intermediate.ts'
import { adoptNext, publishNext, rollStage, withdrawOthers } from '../../store/roll-intermediate.ts'
import {
  endRootRoll,
  isUnderNewestRoot,
  readNewestRoot,
  rootStage,
  withdrawOldRoots,
} from '../../store/roll-root.ts'
import { ensureRoot, readRoot, type AuthorityStore } from '../../store/root.ts'
import { withTrustLock } from '../../store/trust-lock.ts'

/** Hands back what signs for a region. */
export type IssuerOf = (region: string, kind: AuthorityKind) => Issuer

interface MakingStore extends AuthorityStore {
  /** Then authorities near their end are replaced, and what was begun while processes ran is finished. */
  readonly isStopped?: boolean
}

export const laptopPlace = (region: string, kind: AuthorityKind): AuthorityPlace => ({
  ...{ region, kind },
  placement: 'laptop',
})

/** Every authority that signs leaves on this machine. */
export function laptopPlaces({ archipelago }: Pick<AuthorityStore, 'archipelago'>) {
  return authorityKinds.flatMap((kind) =>
    archipelago.regions.map(({ name }) => laptopPlace(name, kind)),
  )
}

/** Makes the roots and every region's authorities, where they are missing. */
export async function ensureAuthorities(store: MakingStore): Promise<IssuerOf> {
  for (const kind of authorityKinds) await ensureRoot(store, kind)
  await ensureAll(store, laptopPlaces(store))
  if (store.isStopped) for (const kind of authorityKinds) await finishRoot(store, kind)
  // A region that is gone goes out of the bundles, too.
  withTrustLock(store.homes, () => publishBundles(store))
  removeThrowaway(store)
  return issuersOf(store)
}

/** What signs at this moment; makes nothing. */
export function issuersOf(store: AuthorityStore): IssuerOf {
  const known = new Map<string, Issuer>()
  return (region, kind) => {
    const key = `${region} ${kind}`
    const issuer = known.get(key) ?? readSigning(store, laptopPlace(region, kind))
    if (issuer === undefined) throw new RangeError(`no ${kind} authority of region '${region}'`)
    known.set(key, issuer)
    return issuer
  }
}

/** Whose root's key is elsewhere, or under a passphrase: all their requests are written, and then named at once. */
async function ensureAll(store: MakingStore, places: readonly AuthorityPlace[]): Promise<void> {
  const waiting: { readonly place: AuthorityPlace; readonly cause: Refusal }[] = []
  for (const place of places)
    await ensureAuthority(store, place).catch((error: unknown) => {
      if (!(error instanceof Refusal && rootIsAway.has(error.code))) throw error
      waiting.push({ place, cause: error })
    })
  const [first] = waiting
  if (first === undefined) return
  const names = waiting.map(({ place: { region, kind } }) => `${region} ${kind}`).join(', ')
  const { cause } = first
  const message = `requests wait for a root's signature: ${names} (${cause.message})`
  throw new Refusal('ERR_AUTHORITY_UNSIGNED', message, { cause })
}

const rootIsAway = new Set<RefusalCode>(['ERR_PASSPHRASE_MISSING', 'ERR_KEY_NOT_HERE'])

async function ensureAuthority(store: MakingStore, place: AuthorityPlace): Promise<void> {
  const { isStopped = false } = store
  if (isStopped && rollStage(store, place) === 'published') adoptIfHere(store, place)
  const signing = readSigning(store, place)
  if (signing === undefined || (isStopped && isIntermediateDue(signing.certificate, store.nowMs))) {
    await publishNext(store, place, () => readRoot(store, place.kind))
    adoptNext(store, place)
  } else if (!isPublished(store, place, signing)) {
    withTrustLock(store.homes, () => publishIntermediate(store, place, signing.certificate))
  }
  if (isStopped && rollStage(store, place) === 'adopted') withdrawOthers(store, place)
}

/** Where the next root signs already. Whose key is kept elsewhere is not replaced from here. */
async function finishRoot(store: AuthorityStore, kind: AuthorityKind): Promise<void> {
  if (rootStage(store, kind) !== 'adopted') return
  for (const { name } of store.archipelago.regions) {
    const place = laptopPlace(name, kind)
    const signing = readSigning(store, place)
    if (signing && isUnderNewestRoot(store, kind, signing.certificate)) continue
    const isSigned = await publishNext(store, place, () => readNewestRoot(store, kind)).then(
      () => true,
      onlyRefusal,
    )
    if (!isSigned) return
    adoptNext(store, place)
    withdrawOthers(store, place)
  }
  withdrawOldRoots(store, kind)
  endRootRoll(store, kind)
}

/** Its key may be lost; then the one that signs goes on, or another one is made. */
function adoptIfHere(store: AuthorityStore, place: AuthorityPlace): void {
  try {
    adoptNext(store, place)
  } catch (error) {
    onlyRefusal(error)
  }
}

function onlyRefusal(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error
}

const isPublished = ({ files, homes }: AuthorityStore, place: AuthorityPlace, issuer: Issuer) =>
  readIntermediates(files, homes, place).some(({ der }) => der.equals(issuer.certificate.der))

/** What data folders held before there were regions' authorities; nothing here trusts it any more. */
function removeThrowaway({ homes }: AuthorityStore): void {
  rmSync(join(homes.operator, 'tls'), { recursive: true, force: true })
  rmSync(join(homes.public, 'ca.crt'), { force: true })
}
