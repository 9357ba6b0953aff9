// The certificates of one machine's processes: made where they are missing, kept where they are good.
import { createHash } from 'node:crypto'
import type { Certificate } from '../../core/identity/certificate.ts'
import { isLeafDue } from '../../core/identity/lifetime.ts'
import { openFiles } from '../../store/files.ts'
import { pruneIssued } from '../../store/issued.ts'
import type { AuthorityStore } from '../../store/root.ts'
import { readAnchors, type Anchors } from './anchors.ts'
import type { CertificateHolder } from './holders.ts'
import { isLeafOf, leavesOf, makeLeaf, readLeaf, type LeafPlace } from './leaves.ts'
import { ensureAuthorities, issuersOf, type IssuerOf } from './make-authorities.ts'

export interface Certificates {
  /** By process name: sha256 of its identity's public key (SPKI), in hexadecimal. */
  readonly pins: ReadonlyMap<string, string>
  /** Which processes got a new certificate this time. */
  readonly made: readonly string[]
  readonly anchors: Anchors
}

export interface CertificatePlace extends Omit<AuthorityStore, 'files'> {
  /** No process runs: what was to be done in steps between reloads is done at once. */
  readonly isStopped?: boolean
}

/**
 * Makes what is missing: authorities, and for each holder a key and certificates. What is there stays
 * unless half of its life is over, or it is of another authority or for other names. A key outlives
 * its certificates, so that whoever knows a process by its key knows it after a renewal, too; while
 * no process runs it is replaced with its authority.
 */
export async function ensureCertificates(
  at: CertificatePlace,
  holders: readonly CertificateHolder[],
): Promise<Certificates> {
  const store = { ...at, files: openFiles() }
  const { homes, archipelago } = store
  const issuerOf = await ensureAuthorities(store)
  const places = holders.flatMap((holder) => leavesOf(homes.data, holder))
  const leaves = await Promise.all(places.map((place) => ensureLeaf(at, place, issuerOf)))
  for (const { name } of archipelago.regions) pruneIssued(homes, name, at.nowMs)
  const anchors = readAnchors(store.files, homes, archipelago)
  for (const { own, mesh } of anchors.values())
    for (const { path, content } of [own, mesh]) store.files.write(path, content)
  const pins = leaves.filter(({ kind }) => kind === 'identity').map(pinOf)
  const made = leaves.filter(({ isMade }) => isMade).map(({ name }) => name)
  return { pins: new Map(pins), made: [...new Set(made)], anchors }
}

/** New certificates for a process, by the authorities that sign now, for the keys that it has. */
export async function renewCertificates(
  at: CertificatePlace,
  holder: CertificateHolder,
): Promise<void> {
  const issuerOf = issuersOf({ ...at, files: openFiles() })
  const { nowMs, archipelago } = at
  const { leafLifetimeSeconds: lifetimeSeconds } = archipelago.identity
  for (const place of leavesOf(at.homes.data, holder)) {
    const issuer = issuerOf(place.region, place.kind)
    const key = readLeaf(place)?.key
    await makeLeaf(place, { homes: at.homes, issuer, lifetimeSeconds, nowMs, key })
  }
}

interface Ensured {
  readonly name: string
  readonly kind: LeafPlace['kind']
  readonly leaf: Certificate
  readonly isMade: boolean
}

async function ensureLeaf(
  { homes, archipelago, nowMs, isStopped }: CertificatePlace,
  place: LeafPlace,
  issuerOf: IssuerOf,
): Promise<Ensured> {
  const { name, kind, region } = place
  const issuer = issuerOf(region, kind)
  const held = readLeaf(place)
  const isOurs = held !== undefined && isLeafOf(held, place, issuer)
  if (isOurs && !isLeafDue(held.leaf, nowMs)) return { name, kind, leaf: held.leaf, isMade: false }
  const isSameIssuer = held?.issuer?.der.equals(issuer.certificate.der) === true
  const key = isStopped === true && !isSameIssuer ? undefined : held?.key
  const { leafLifetimeSeconds: lifetimeSeconds } = archipelago.identity
  const leaf = await makeLeaf(place, { homes, issuer, lifetimeSeconds, nowMs, key })
  return { name, kind, leaf, isMade: true }
}

function pinOf({ name, leaf }: Ensured): [name: string, pin: string] {
  return [name, createHash('sha256').update(leaf.spki).digest('hex')]
}
