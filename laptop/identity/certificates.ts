// The certificates of one machine's processes: made where they are missing, kept where they are good.
import { createHash } from 'node:crypto'
import type { Certificate } from '../../core/identity/certificate.ts'
import { isLeafDue } from '../../core/identity/lifetime.ts'
import { formatTime, thisClock } from '../../core/time.ts'
import { openFiles } from '../../store/files.ts'
import { pruneIssued } from '../../store/issued.ts'
import type { AuthorityStore } from '../../store/root.ts'
import { trustFile } from '../layout.ts'
import { readAnchors, type Anchors } from './anchors.ts'
import type { CertificateHolder } from './holders.ts'
import {
  handOut,
  isLeafOf,
  issueLeafFor,
  leavesOf,
  readLeaf,
  requireLeafKey,
  type IssuedLeaf,
  type LeafPlace,
} from './leaves.ts'
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
  /** Hears that this clock was put back since certificates were issued. */
  readonly report?: ((line: string) => void) | undefined
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
  tellPutBack(at, places)
  const leaves = await Promise.all(places.map((place) => ensureLeaf(at, place, issuerOf)))
  handOut(
    homes,
    leaves.flatMap(({ issued }) => issued ?? []),
  )
  for (const { name } of archipelago.regions) pruneIssued(homes, name, at.nowMs)
  const anchors = readAnchors(store.files, homes, archipelago)
  for (const [region, { own, mesh }] of anchors) {
    for (const { path, content } of [own, mesh]) store.files.write(path, content)
    store.files.write(trustFile(homes.data, region), own.content)
  }
  const pins = leaves.filter(({ place }) => place.kind === 'identity').map(pinOf)
  const made = leaves.filter(({ issued }) => issued).map(({ place }) => place.name)
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
  const leaves = leavesOf(at.homes.data, holder).map((place) =>
    issueLeafFor(place, {
      issuer: issuerOf(place.region, place.kind),
      ...{ lifetimeSeconds, nowMs },
      key: requireLeafKey(place),
    }),
  )
  handOut(at.homes, await Promise.all(leaves))
}

interface Ensured {
  readonly place: LeafPlace
  readonly leaf: Certificate
  /** Undefined where what is held stays. */
  readonly issued?: IssuedLeaf
}

async function ensureLeaf(
  { archipelago, nowMs, isStopped }: CertificatePlace,
  place: LeafPlace,
  issuerOf: IssuerOf,
): Promise<Ensured> {
  const issuer = issuerOf(place.region, place.kind)
  const held = readLeaf(place)
  const isOurs = held !== undefined && isLeafOf(held, place, issuer)
  if (isOurs && !isLeafDue(held.leaf, nowMs)) return { place, leaf: held.leaf }
  const isSameIssuer = held?.issuer?.der.equals(issuer.certificate.der) === true
  const key = isStopped === true && !isSameIssuer ? undefined : held?.key
  const { leafLifetimeSeconds: lifetimeSeconds } = archipelago.identity
  const issued = await issueLeafFor(place, { issuer, lifetimeSeconds, nowMs, key })
  return { place, leaf: issued.leaf, issued }
}

/** One line for all, with the latest. */
function tellPutBack({ nowMs, report }: CertificatePlace, places: readonly LeafPlace[]): void {
  const begins = places.flatMap((place) => readLeaf(place)?.leaf.notBeforeMs ?? [])
  const ahead = begins.filter((beginMs) => beginMs > nowMs)
  if (ahead.length === 0) return
  const which = `${ahead.length} certificates begin ${formatTime(Math.max(...ahead))} or before`
  report?.(`${which}, ${thisClock(nowMs)}: it was put back, and they are made anew`)
}

function pinOf({ place, leaf }: Ensured): [name: string, pin: string] {
  return [place.name, createHash('sha256').update(leaf.spki).digest('hex')]
}
