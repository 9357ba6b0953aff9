// The authorities that may vouch for a region's processes: of what git carries, what a root signed with
// that region's limits, and nobody withdrew. Who writes to git and has no root's key adds nothing to them.
import {
  acceptIntermediate,
  authorityProfile,
  type AuthorityPlace,
} from '../core/identity/authority.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import { Refusal } from '../core/errors.ts'
import { readIntermediates, readRoots } from './authority-files.ts'
import type { AuthorityStore } from './root.ts'
import { isWithdrawn } from './withdrawn-authorities.ts'

type Published = Pick<AuthorityStore, 'files' | 'homes' | 'archipelago'>

/** The newest first, also those that have ended: whether they are valid now their readers ask. */
export function readAuthorities(
  store: Published,
  { region, kind }: Pick<AuthorityPlace, 'region' | 'kind'>,
): Certificate[] {
  const places = (['laptop', 'distributed'] as const).map((placement) => ({
    ...{ region, kind, placement },
  }))
  const isOver = isWithdrawn(store.files, { homes: store.homes, region })
  return readIntermediates(store.files, store.homes, { region, kind }).filter(
    (certificate) =>
      !isOver(certificate) &&
      places.some((place) =>
        isAcceptable({ ...store, nowMs: certificate.notBeforeMs }, place, certificate),
      ),
  )
}

export function isAcceptable(
  store: AuthorityStore,
  place: AuthorityPlace,
  certificate: Certificate,
): boolean {
  try {
    requireAcceptable(store, place, certificate)
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** Refuses what no root signed, and other limits than the region's. */
export function requireAcceptable(
  { files, homes, archipelago, nowMs }: AuthorityStore,
  place: AuthorityPlace,
  certificate: Certificate,
): void {
  const { kind } = place
  const profile = authorityProfile(archipelago, place)
  const isOver = isWithdrawn(files, { homes, region: place.region })
  const roots = readRoots(files, homes, kind).filter((root) => !isOver(root))
  acceptIntermediate(certificate, { kind, profile, roots, nowMs })
}
