// The authorities of all regions, by which callers are known: read again when git or the operator brings
// newer ones, and never older ones.
import type { BundleMap } from '../../core/identity/bundle.ts'
import {
  goneKeys,
  parseBundleMap,
  requireForward,
  requireNoneAhead,
  requireNoneOf,
  requireRooted,
} from '../../core/identity/bundle-map.ts'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { readOrRefuse } from '../../store/files.ts'
import { stampOf, watchFiles } from './watch-files.ts'

export interface PeerTrustFiles {
  readonly bundleMap: string
  readonly roots: string
}
export interface PeerTrust {
  readonly bundles: BundleMap
  /** PEM. */
  readonly roots: string
}

/** Refuses files that are not there or cannot be read, an authority that no root signed, and a map from a time to come. */
export function readPeerTrust({ bundleMap, roots }: PeerTrustFiles): PeerTrust {
  const pem = readOrRefuse(roots, 'identity root')
  const bundles = parseBundleMap(readOrRefuse(bundleMap, 'bundle map'))
  requireRooted(bundles, parseCertificates(pem))
  requireNoneAhead(bundles, Date.now())
  return { bundles, roots: pem }
}

/**
 * Hands on what is newer; what is broken or older is refused and named, and what was known stays. A trust
 * domain that goes is remembered, and so is an authority: neither comes back older, or at all.
 */
export function keepPeerTrust(
  first: PeerTrust,
  files: PeerTrustFiles,
  {
    take,
    report,
    pollMs = 1_000,
  }: {
    readonly take: (trust: PeerTrust) => void
    readonly report: (line: string) => void
    readonly pollMs?: number
  },
): Disposable {
  const paths = Object.values(files) as string[]
  let newest = first.bundles
  const gone = new Set<string>()
  let stamp = ''
  const look = (): void => {
    const now = stampOf(paths)
    if (now === stamp) return
    stamp = now
    try {
      const read = readPeerTrust(files)
      requireForward(newest, read.bundles)
      requireNoneOf(gone, read.bundles)
      for (const key of goneKeys(newest, read.bundles)) gone.add(key)
      newest = new Map([...newest, ...read.bundles])
      take(read)
    } catch (error) {
      report(
        `alarm: keeping the authorities of before, ${files.bundleMap} is refused: ${String(error)}`,
      )
    }
  }
  look()
  return watchFiles(paths, look, { pollMs })
}
