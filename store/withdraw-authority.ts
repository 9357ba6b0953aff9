// Authorities of a region taken out before their end: out of what git carries and out of the bundles, and
// written down so that nothing brings them back.
import { existsSync } from 'node:fs'
import { Refusal } from '../core/errors.ts'
import type { AuthorityPlace } from '../core/identity/authority.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import { isOver } from '../core/identity/lifetime.ts'
import {
  intermediateFiles,
  intermediatesFile,
  readCertificates,
  writeCertificates,
} from './authority-files.ts'
import { readAuthorities } from './authorities.ts'
import { publishBundles } from './bundles.ts'
import { regionHome } from './homes.ts'
import type { AuthorityStore } from './root.ts'
import { withTrustLock } from './trust-lock.ts'
import { recordWithdrawn } from './withdrawn-authorities.ts'

type Place = Pick<AuthorityPlace, 'region' | 'kind'>

export interface Withdrawal {
  readonly gone: readonly Certificate[]
  /** The newest first; those that have ended vouch for nobody, and do not count as left. */
  readonly left: readonly Certificate[]
  /** Who is cut off by it; undefined where the region goes on. */
  readonly harm: string | undefined
}

/**
 * The one with this digest (SHA-256 of the certificate, in hexadecimal) and whatever has its key, or all but
 * the newest. Refuses a digest of none that is published; changes nothing.
 */
export function planWithdrawal(store: AuthorityStore, place: Place, digest?: string): Withdrawal {
  const published = readAuthorities(store, place)
  const gone = digest === undefined ? published.slice(1) : allOfKey(published, { place, digest })
  const left = published.filter((each) => !gone.includes(each))
  const isLeft = left.some((each) => !isOver(each, store.nowMs))
  const { region, kind } = place
  if (gone.length > 0 && !isLeft)
    return { gone, left, harm: `no ${kind} authority of ${region} is left` }
  const { certificate } = intermediateFiles(store.homes, place, 'current')
  const signs = ({ spki }: Certificate) =>
    readCertificates(store.files, certificate).some((each) => each.spki.equals(spki))
  const harm = gone.some(signs) ? `${region} still signs by it` : undefined
  return { gone, left, harm }
}

function allOfKey(
  published: readonly Certificate[],
  { place: { region, kind }, digest }: { readonly place: Place; readonly digest: string },
): Certificate[] {
  const named = published.find((each) => sha256Of(each) === digest.toLowerCase())
  if (named === undefined)
    throw new Refusal(
      'ERR_AUTHORITY_OTHER',
      `no ${kind} authority of ${region} with that digest is published: ${published.map(sha256Of).join(', ')}`,
    )
  return published.filter(({ spki }) => spki.equals(named.spki))
}

export const sha256Of = ({ openssl }: Certificate): string =>
  openssl.fingerprint256.replaceAll(':', '').toLowerCase()

/** Refuses where neither home is here that would remember it. Again is the same as once. */
export function withdrawAuthorities(
  store: AuthorityStore,
  place: Place,
  { gone, left }: Withdrawal,
): void {
  const { files, homes } = store
  const { region, kind } = place
  const isOperator = existsSync(homes.operator)
  if (!isOperator && !existsSync(regionHome(homes, region)))
    throw new Refusal('ERR_KEY_NOT_HERE', `neither ${region}'s home nor the operator's is here`)
  const withdraw = (): void => {
    // Remembered first: what is published without that could come back.
    recordWithdrawn(files, { homes, region, kept: left }, gone)
    writeCertificates(files, intermediatesFile(homes.public, kind, region), left)
    publishBundles(store)
  }
  // The lock lies in the operator's home; a region's is its own alone.
  if (isOperator) withTrustLock(homes, withdraw)
  else withdraw()
}
