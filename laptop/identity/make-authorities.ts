// The homes of a laptop are folders, so here one process takes all the steps that are elsewhere taken
// by the operator and each region: roots, requests, signatures, adoption.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  authorityKinds,
  type AuthorityKind,
  type AuthorityPlace,
} from '../../core/identity/authority.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import type { Issuer } from '../../core/identity/issue.ts'
import { readIntermediates } from '../../store/authority-files.ts'
import { publishBundles } from '../../store/bundles.ts'
import {
  adoptIntermediate,
  publishIntermediate,
  readIntermediate,
  requestIntermediate,
  signIntermediate,
} from '../../store/intermediate.ts'
import { ensureRoot, readRoot, type AuthorityStore } from '../../store/root.ts'
import { withTrustLock } from '../../store/trust-lock.ts'

/** Hands back what signs for a region. */
export type IssuerOf = (region: string, kind: AuthorityKind) => Issuer

/** Makes the roots and every region's authorities, where they are missing or near their end. */
export async function ensureAuthorities(store: AuthorityStore): Promise<IssuerOf> {
  const issuers = new Map<string, Issuer>()
  for (const kind of authorityKinds) {
    await ensureRoot(store, kind)
    for (const { name: region } of store.archipelago.regions) {
      const place: AuthorityPlace = { region, kind, placement: 'laptop' }
      issuers.set(`${region} ${kind}`, await ensureAuthority(store, place))
    }
  }
  // A region that is gone goes out of the bundles, too.
  withTrustLock(store.homes, () => publishBundles(store))
  removeThrowaway(store)
  return (region, kind) => {
    const issuer = issuers.get(`${region} ${kind}`)
    if (issuer === undefined) throw new RangeError(`no ${kind} authority of region '${region}'`)
    return issuer
  }
}

async function ensureAuthority(store: AuthorityStore, place: AuthorityPlace): Promise<Issuer> {
  const known = readIntermediate(store, place)
  if (known !== undefined && isPublished(store, place, known)) return known
  return known === undefined ? replaceAuthority(store, place) : publish(store, place, known)
}

async function replaceAuthority(store: AuthorityStore, place: AuthorityPlace): Promise<Issuer> {
  const request = requestIntermediate(store, place)
  const root = () => readRoot(store, place.kind)
  const { certificate } = await signIntermediate(store, place, { request, root })
  withTrustLock(store.homes, () => publishIntermediate(store, place, certificate))
  adoptIntermediate(store, place, formatCertificates([certificate]))
  const adopted = readIntermediate(store, place)
  if (adopted === undefined) throw new TypeError(`authority of ${place.region} was not adopted`)
  return adopted
}

function publish(store: AuthorityStore, place: AuthorityPlace, issuer: Issuer): Issuer {
  withTrustLock(store.homes, () => publishIntermediate(store, place, issuer.certificate))
  return issuer
}

const isPublished = ({ files, homes }: AuthorityStore, place: AuthorityPlace, issuer: Issuer) =>
  readIntermediates(files, homes, place).some(({ der }) => der.equals(issuer.certificate.der))

/** What data folders held before there were regions' authorities; nothing here trusts it any more. */
function removeThrowaway({ homes }: AuthorityStore): void {
  rmSync(join(homes.operator, 'tls'), { recursive: true, force: true })
  rmSync(join(homes.public, 'ca.crt'), { force: true })
}
