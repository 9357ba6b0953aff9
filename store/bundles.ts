// The bundle map that git carries: for each region's trust domain the authorities that may sign there.
import { encodeBundle, type Bundle, type BundleMap } from '../core/identity/bundle.ts'
import {
  formatBundleMap,
  isAhead,
  parseBundleMap,
  requireForward,
} from '../core/identity/bundle-map.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import { regionDomain } from '../core/identity/names.ts'
import { readAuthorities } from './authorities.ts'
import { bundleMapFile } from './authority-files.ts'
import type { Files } from './files.ts'
import type { Homes } from './homes.ts'
import type { AuthorityStore } from './root.ts'

const refreshHintSeconds = 300

export function readBundles(files: Files, { public: folder }: Homes): BundleMap {
  const text = files.read(bundleMapFile(folder))
  return text === undefined ? new Map() : parseBundleMap(text)
}

/** Of what is published now; a bundle that changed gets the next sequence, and none goes back. */
export function publishBundles(store: AuthorityStore): BundleMap {
  const { files, homes, archipelago, nowMs } = store
  // What somebody put so far ahead nobody has taken.
  const known = [...readBundles(files, homes)].filter(([, bundle]) => !isAhead(bundle, nowMs))
  const before: BundleMap = new Map(known)
  const entries = archipelago.regions.flatMap(({ name: region }) => {
    const authorities = readAuthorities(store, { kind: 'identity', region })
    const domain = regionDomain(archipelago, region)
    if (authorities.length === 0) return []
    return [[domain, nextBundle(before.get(domain), { authorities, nowMs })] as const]
  })
  const after: BundleMap = new Map(entries)
  requireForward(before, after)
  files.write(bundleMapFile(homes.public), formatBundleMap(after))
  return after
}

/**
 * A sequence counts from the time: where the file was put back to an older one, who knows the newer takes
 * what is made of it, and not only once its sequence has caught up. JWT keys, of which regions have none,
 * are not taken over from the file.
 */
function nextBundle(
  known: Bundle | undefined,
  { authorities, nowMs }: { readonly authorities: readonly Certificate[]; readonly nowMs: number },
): Bundle {
  const made = { refreshHintSeconds, authorities, jwtKeys: new Map() }
  const same = known && { ...made, sequence: known.sequence }
  if (same && JSON.stringify(encodeBundle(same)) === JSON.stringify(encodeBundle(known)))
    return known
  return { ...made, sequence: Math.max((known?.sequence ?? 0) + 1, Math.floor(nowMs / 1000)) }
}
