// A region's authority replaced in steps that can each be taken again: published beside the old one,
// used instead of it, the old one withdrawn. What lies on the disk says which step comes next.
import type { AuthorityPlace } from '../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../core/identity/certificate.ts'
import type { Issuer } from '../core/identity/issue.ts'
import { issuedAtMs } from '../core/identity/lifetime.ts'
import {
  intermediateFiles,
  intermediatesFile,
  readCertificates,
  readIntermediates,
  writeCertificates,
} from './authority-files.ts'
import { readAuthorities } from './authorities.ts'
import { publishBundles } from './bundles.ts'
import {
  adoptIntermediate,
  publishIntermediate,
  requestIntermediate,
  signIntermediate,
} from './intermediate.ts'
import type { AuthorityStore } from './root.ts'
import { withTrustLock } from './trust-lock.ts'
import { recordWithdrawn } from './withdrawn-authorities.ts'

/** `steady`: one authority is published, and signs. `published`: the next one is known beside it.
 * `adopted`: the next one signs, and what went before is still known. */
export type RollStage = 'steady' | 'published' | 'adopted'

export function rollStage(store: AuthorityStore, place: AuthorityPlace): RollStage {
  const { files, homes } = store
  const published = readAuthorities(store, place)
  const [signing] = readCertificates(files, intermediateFiles(homes, place, 'current').certificate)
  const [newest, ...others] = published
  const isNewest = signing !== undefined && newest?.der.equals(signing.der) === true
  if (isNewest) return others.length === 0 ? 'steady' : 'adopted'
  return newest === undefined ? 'steady' : 'published'
}

/** Of a new key, or the one that waits. */
export async function publishNext(
  store: AuthorityStore,
  place: AuthorityPlace,
  root: () => Promise<Issuer>,
): Promise<void> {
  const request = requestIntermediate(store, place)
  const { certificate } = await signIntermediate(store, place, { request, root })
  withTrustLock(store.homes, () => publishIntermediate(store, place, certificate))
}

/** The newest that is published signs from now on; refuses where its key is not here. */
export function adoptNext(store: AuthorityStore, place: AuthorityPlace): Certificate {
  const [newest] = readAuthorities(store, place)
  return adoptIntermediate(store, place, formatCertificates(newest === undefined ? [] : [newest]))
}

/** Whether all has ended that was signed before: of workloads nobody here knows who renewed meanwhile. */
export function isOverlapOver(store: AuthorityStore, place: AuthorityPlace): boolean {
  const { files, homes, archipelago, nowMs } = store
  const [signing] = readCertificates(files, intermediateFiles(homes, place, 'current').certificate)
  const lifeMs = archipelago.identity.leafLifetimeSeconds * 1000 + marginMs
  return signing !== undefined && nowMs > issuedAtMs(signing) + lifeMs
}

/** Between the signature of an authority and the last of the one before it; and verifiers' patience. */
const marginMs = 10 * 60_000

/** What does not sign is trusted no more; hands back how many went. */
export function withdrawOthers(store: AuthorityStore, place: AuthorityPlace): number {
  const { files, homes } = store
  const signing = readCertificates(files, intermediateFiles(homes, place, 'current').certificate)
  return withTrustLock(homes, () => {
    const before = readIntermediates(files, homes, place)
    const others = before.filter(({ der }) => !signing.some((one) => one.der.equals(der)))
    recordWithdrawn(files, { homes, region: place.region, kept: signing }, others)
    writeCertificates(files, intermediatesFile(homes.public, place.kind, place.region), signing)
    publishBundles(store)
    return before.length - signing.length
  })
}
