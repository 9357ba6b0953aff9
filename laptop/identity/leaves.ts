// One certificate of a process in its two files, and the key to it.
import { createPrivateKey, createPublicKey, randomBytes, type KeyObject } from 'node:crypto'
import { Refusal } from '../../core/errors.ts'
import type { AuthorityKind } from '../../core/identity/authority.ts'
import {
  formatCertificates,
  parseCertificates,
  type Certificate,
} from '../../core/identity/certificate.ts'
import { parseIp } from '../../core/identity/general-name.ts'
import type { Issuer, LeafProfile } from '../../core/identity/issue.ts'
import { describeIssued } from '../../core/identity/recorded.ts'
import type { KeyFiles } from '../../core/network/tls.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { readIfThere, writePrivate } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { recordIssued } from '../../store/issued.ts'
import { identityPaths, publicPaths } from '../layout.ts'
import type { CertificateHolder } from './holders.ts'

/** Which certificate of which process, and where it lies. */
export interface LeafPlace {
  readonly name: string
  readonly region: string
  readonly kind: AuthorityKind
  readonly profile: LeafProfile
  readonly files: KeyFiles
}

export interface HeldLeaf {
  readonly leaf: Certificate
  readonly issuer: Certificate | undefined
  readonly key: KeyObject
}

/** One for each kind that the process shows. */
export function leavesOf(data: string, holder: CertificateHolder): LeafPlace[] {
  const { name, region, identity, public: outside } = holder
  return [
    { name, region, kind: 'identity', profile: identity, files: identityPaths(data, holder) },
    ...(outside === undefined
      ? []
      : [
          {
            ...{ name, region, profile: outside, files: publicPaths(data, holder) },
            kind: 'public' as const,
          },
        ]),
  ]
}

/** What cannot be read, or does not belong together, is as good as missing. */
export function readLeaf({ files }: Pick<LeafPlace, 'files'>): HeldLeaf | undefined {
  const [certificate, text] = [readIfThere(files.certificate), readIfThere(files.key)]
  if (certificate === undefined || text === undefined) return undefined
  try {
    const [leaf, issuer] = parseCertificates(certificate)
    const key = createPrivateKey(text)
    return leaf?.openssl.checkPrivateKey(key) ? { leaf, issuer, key } : undefined
  } catch (error) {
    if (error instanceof Refusal || isUnreadableKey(error)) return undefined
    throw error
  }
}

/** The key alone: its certificate may be missing or damaged. Refuses where it is gone. */
export function requireLeafKey({ name, files }: LeafPlace): KeyObject {
  try {
    return createPrivateKey(readIfThere(files.key) ?? '')
  } catch {
    // The cause could hold a part of the key.
    throw new Refusal('ERR_KEY_NOT_HERE', `no key of ${name} at ${files.key}: its peers pin it`)
  }
}

const isUnreadableKey = (error: unknown) =>
  String((error as NodeJS.ErrnoException).code).startsWith('ERR_OSSL')

/** Whether it is of this authority and for exactly these names. */
export function isLeafOf(held: HeldLeaf, { profile }: LeafPlace, issuer: Issuer): boolean {
  const { leaf } = held
  return (
    held.issuer?.der.equals(issuer.certificate.der) === true &&
    leaf.openssl.verify(issuer.certificate.openssl.publicKey) &&
    isExactlyFor(leaf, profile)
  )
}

function isExactlyFor({ names }: Certificate, { id, dns, ips }: LeafProfile): boolean {
  const hex = (addresses: readonly Buffer[]) => addresses.map((ip) => ip.toString('hex')).join()
  return (
    names.uris.join() === (id ?? '') &&
    names.dns.join() === dns.join() &&
    hex(names.ips) === hex(ips.map(parseIp))
  )
}

export interface LeafIssuance {
  readonly issuer: Issuer
  readonly lifetimeSeconds: number
  readonly nowMs: number
  /** Without it a new one is made. */
  readonly key?: KeyObject | undefined
}

/** Issued, and not handed out yet. */
export interface IssuedLeaf {
  readonly place: LeafPlace
  readonly leaf: Certificate
  readonly issuer: Certificate
  /** Where it is not written yet. */
  readonly newKey: KeyObject | undefined
}

export async function issueLeafFor(
  place: LeafPlace,
  { issuer, lifetimeSeconds, nowMs, key }: LeafIssuance,
): Promise<IssuedLeaf> {
  // Loading the signing library takes 80 ms: only where something has to be signed.
  const { issueLeaf } = await import('../../core/identity/issue.ts')
  const { name, profile } = place
  const newKey = key === undefined ? makeAuthorityKey().privateKey : undefined
  const [commonName = name] = profile.id === undefined ? profile.dns : [name]
  const leaf = await issueLeaf(createPublicKey((key ?? newKey) as KeyObject), profile, {
    ...{ issuer, commonName, nowMs, lifetimeSeconds },
    serial: randomBytes(16),
  })
  return { place, leaf, issuer: issuer.certificate, newKey }
}

/** Records them all, and then writes them; the authority stands after each in its file. */
export function handOut(homes: Homes, leaves: readonly IssuedLeaf[]): void {
  for (const [region, ofRegion] of Map.groupBy(leaves, ({ place }) => place.region)) {
    const lines = ofRegion.map(({ leaf, place }) =>
      describeIssued(leaf, { kind: place.kind, holder: place.name }),
    )
    recordIssued(homes, region, lines)
  }
  for (const { place, leaf, issuer, newKey } of leaves) {
    // The key first: a certificate without it would be taken for good.
    if (newKey !== undefined) writePrivate(place.files.key, formatPrivateKey(newKey))
    writePrivate(place.files.certificate, formatCertificates([leaf, issuer]))
  }
}
