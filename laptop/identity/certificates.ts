// The certificates of one machine's processes: made where they are missing, kept where they are good.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { Refusal } from '../../core/errors.ts'
import type { AuthorityKind } from '../../core/identity/authority.ts'
import {
  formatCertificates,
  parseCertificates,
  type Certificate,
} from '../../core/identity/certificate.ts'
import { parseIp } from '../../core/identity/general-name.ts'
import type { Issuer, LeafProfile } from '../../core/identity/issue.ts'
import { isLeafDue, leafSeconds } from '../../core/identity/lifetime.ts'
import { describeIssued, type Issued } from '../../core/identity/recorded.ts'
import type { KeyFiles } from '../../core/network/tls.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { openFiles, readIfThere, writePrivate } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { pruneIssued, recordIssued } from '../../store/issued.ts'
import type { AuthorityStore } from '../../store/root.ts'
import { identityPaths, publicPaths } from '../layout.ts'
import { readAnchors, type Anchors } from './anchors.ts'
import type { CertificateHolder } from './holders.ts'
import { ensureAuthorities, type IssuerOf } from './make-authorities.ts'

export interface Certificates {
  /** By process name: sha256 of its identity's public key (SPKI), in hexadecimal. */
  readonly pins: ReadonlyMap<string, string>
  /** Which processes got a new certificate this time. */
  readonly made: readonly string[]
  readonly anchors: Anchors
}

interface Wanted {
  readonly name: string
  readonly kind: AuthorityKind
  readonly profile: LeafProfile
  readonly files: KeyFiles
  readonly issuer: Issuer
  readonly nowMs: number
  readonly record: (issued: Issued) => void
}

/**
 * Makes what is missing: authorities, and for each holder a key and certificates. What is there stays
 * unless half of its life is over, or it is of another authority or for other names. A key stays as
 * long as its authority, so that whoever knows a process by its key knows it after a renewal, too.
 */
export async function ensureCertificates(
  at: Omit<AuthorityStore, 'files'>,
  holders: readonly CertificateHolder[],
): Promise<Certificates> {
  const store = { ...at, files: openFiles() }
  const { homes, archipelago, nowMs } = store
  const issuerOf = await ensureAuthorities(store)
  const wanted = holders.flatMap((holder) => leavesOf(holder, { issuerOf, nowMs, homes }))
  const leaves = await Promise.all(wanted.map(ensureLeaf))
  for (const { name } of archipelago.regions) pruneIssued(homes, name, nowMs)
  const anchors = readAnchors(store.files, homes, archipelago)
  for (const { own, mesh } of anchors.values())
    for (const { path, content } of [own, mesh]) store.files.write(path, content)
  const pins = leaves.filter(({ kind }) => kind === 'identity').map(pinOf)
  const made = leaves.filter(({ isMade }) => isMade).map(({ name }) => name)
  return { pins: new Map(pins), made: [...new Set(made)], anchors }
}

function leavesOf(
  { name, region, ...leaves }: CertificateHolder,
  { issuerOf, nowMs, homes }: { issuerOf: IssuerOf; nowMs: number; homes: Homes },
): Wanted[] {
  const leaf = (kind: AuthorityKind, profile: LeafProfile, files: KeyFiles): Wanted => ({
    ...{ name, kind, profile, files, nowMs },
    record: (issued) => recordIssued(homes, region, [issued]),
    issuer: issuerOf(region, kind),
  })
  return [
    leaf('identity', leaves.identity, identityPaths(homes.data, { name, region })),
    ...(leaves.public === undefined
      ? []
      : [leaf('public', leaves.public, publicPaths(homes.data, { name, region }))]),
  ]
}

interface Ensured {
  readonly name: string
  readonly kind: AuthorityKind
  readonly leaf: Certificate
  readonly isMade: boolean
}

async function ensureLeaf(wanted: Wanted): Promise<Ensured> {
  const { name, kind, profile, issuer, nowMs } = wanted
  const held = readLeaf(wanted)
  const isGood =
    held !== undefined && isExactlyFor(held.leaf, profile) && !isLeafDue(held.leaf, nowMs)
  if (isGood) return { name, kind, leaf: held.leaf, isMade: false }
  const key = held?.key ?? makeAuthorityKey().privateKey
  const leaf = await issue(wanted, key)
  // The key first: a certificate without it would be taken for good.
  if (held === undefined) writePrivate(wanted.files.key, formatPrivateKey(key))
  writePrivate(wanted.files.certificate, formatCertificates([leaf, issuer.certificate]))
  return { name, kind, leaf, isMade: true }
}

/** What cannot be read, does not belong together or is of another authority is as good as missing. */
function readLeaf({ files, issuer }: Wanted): { leaf: Certificate; key: KeyObject } | undefined {
  const [certificate, text] = [readIfThere(files.certificate), readIfThere(files.key)]
  if (certificate === undefined || text === undefined) return undefined
  try {
    const [leaf, above] = parseCertificates(certificate)
    const key = createPrivateKey(text)
    const isOurs =
      above?.der.equals(issuer.certificate.der) &&
      leaf?.openssl.verify(issuer.certificate.openssl.publicKey) &&
      leaf.openssl.checkPrivateKey(key)
    return isOurs && leaf ? { leaf, key } : undefined
  } catch (error) {
    if (error instanceof Refusal || isUnreadableKey(error)) return undefined
    throw error
  }
}

const isUnreadableKey = (error: unknown) =>
  String((error as NodeJS.ErrnoException).code).startsWith('ERR_OSSL')

function isExactlyFor({ names }: Certificate, { id, dns, ips }: LeafProfile): boolean {
  const hex = (addresses: readonly Buffer[]) => addresses.map((ip) => ip.toString('hex')).join()
  return (
    names.uris.join() === (id ?? '') &&
    names.dns.join() === dns.join() &&
    hex(names.ips) === hex(ips.map(parseIp))
  )
}

async function issue(wanted: Wanted, key: KeyObject): Promise<Certificate> {
  const { name, kind, profile, issuer, nowMs, record } = wanted
  // Loading the signing library takes 80 ms: only where something has to be signed.
  const { issueLeaf } = await import('../../core/identity/issue.ts')
  const [commonName = name] = profile.id === undefined ? profile.dns : [name]
  const leaf = await issueLeaf(createPublicKey(key), profile, {
    ...{ issuer, commonName, nowMs },
    lifetimeSeconds: leafSeconds,
    serial: randomBytes(16),
  })
  record(describeIssued(leaf, { kind, holder: name }))
  return leaf
}

function pinOf({ name, leaf }: Ensured): [name: string, pin: string] {
  return [name, createHash('sha256').update(leaf.spki).digest('hex')]
}
