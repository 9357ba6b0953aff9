// Whom certificates were issued to, for who asks every few seconds for the same ones.
import type { DeclaredState, IssuedTo } from '../core/trust/declared-state.ts'
import { findIssued } from './issued.ts'
import type { TrustPlace } from './operator.ts'

/**
 * Whoever shows a certificate that is on no record must not have the whole of it read at every look. What is
 * recorded elsewhere may be brought here later, so it is looked for again.
 */
const againSeconds = 300
/** Certificates are renewed all the time, and who watches runs for months. */
const knownMax = 50_000

export function openIssuedTo(
  { homes, archipelago }: Pick<TrustPlace, 'homes' | 'archipelago'>,
  nowSeconds: () => number,
): DeclaredState['issuedTo'] {
  const regions = archipelago.regions.map(({ name }) => name)
  const known = new Map<string, IssuedTo>()
  const missing = new Map<string, number>()
  const isDue = (digest: string): boolean =>
    !known.has(digest) && nowSeconds() - (missing.get(digest) ?? -Infinity) >= againSeconds
  const read = (digests: ReadonlySet<string>): void => {
    for (const each of [known, missing]) if (each.size > knownMax) each.clear()
    for (const digest of digests) missing.set(digest, nowSeconds())
    for (const [digest, { id, notAfter }] of findIssued(homes, regions, digests)) {
      if (id === undefined) continue
      known.set(digest, { identity: id, certifiedUntilMs: Date.parse(notAfter) })
      missing.delete(digest)
    }
  }
  return (digests) => {
    read(new Set([...digests].filter(isDue)))
    return new Map([...digests].flatMap((digest) => entryOf(known, digest)))
  }
}

function entryOf(
  known: ReadonlyMap<string, IssuedTo>,
  digest: string,
): (readonly [string, IssuedTo])[] {
  const found = known.get(digest)
  return found === undefined ? [] : [[digest, found]]
}
