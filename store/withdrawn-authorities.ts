// Which authorities and roots were withdrawn, in homes and not in what git carries: there a revert, or an older
// copy, would bring one back to life. They are known by their keys: a certificate has a second signature
// that anybody can write (ECDSA), and so another digest.
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificate } from '../core/identity/certificate.ts'
import type { Files } from './files.ts'
import { regionHome, type Homes } from './homes.ts'

/**
 * For good, in the home of the region and in the operator's, whichever are on this machine. `kept` stay: an
 * older certificate of one of their keys is no reason to withdraw that.
 */
export function recordWithdrawn(
  files: Files,
  {
    homes,
    region,
    kept = [],
  }: { readonly homes: Homes; readonly region: string; readonly kept?: readonly Certificate[] },
  all: readonly Certificate[],
): void {
  const certificates = all.filter(({ spki }) => !kept.some((each) => each.spki.equals(spki)))
  if (certificates.length === 0) return
  for (const home of [regionHome(homes, region), homes.operator].filter((each) =>
    existsSync(each),
  )) {
    const path = recordIn(home)
    const digests = new Set([...readDigests(files, path), ...certificates.map(digestOf)])
    files.write(path, [...digests, ''].join('\n'))
  }
}

export function isWithdrawn(
  files: Files,
  { homes, region }: { readonly homes: Homes; readonly region: string },
): (certificate: Certificate) => boolean {
  const places = [recordIn(regionHome(homes, region)), recordIn(homes.operator)]
  const digests = new Set(places.flatMap((path) => readDigests(files, path)))
  // Records of before are of certificates.
  return (certificate) =>
    digests.has(digestOf(certificate)) || digests.has(hash('sha256', certificate.der))
}

const recordIn = (home: string) => join(home, 'identity', 'withdrawn')

/** One SHA-256 a line. */
const readDigests = (files: Files, path: string) =>
  (files.read(path) ?? '').split('\n').filter((line) => line !== '')

const digestOf = ({ spki }: Certificate) => hash('sha256', spki)
