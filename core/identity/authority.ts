// The authority of a region: what it may name, and when a certificate for one is taken. There are two
// of them, for one root must not be good for the other's purpose: identities, which our own verifiers
// read, and server names, which the TLS libraries of outside clients read. Meshes have one each, likewise.
import { isIP, isIPv4 } from 'node:net'
import type { Archipelago } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import { requireRegion } from '../known-region.ts'
import type { Placement } from '../network/endpoint.ts'
import { quote } from '../quote.ts'
import type { Certificate } from './certificate.ts'
import { requireAuthority, verifyChain } from './chain.ts'
import { purposeId } from './extensions.ts'
import type { AuthorityProfile } from './issue.ts'
import { meshConstraints, meshes, namesUris, type Mesh } from './mesh.ts'
import { encodeNameConstraints, noSubtrees, type NameConstraints } from './name-constraints.ts'
import { regionDomain, servicesDomain } from './names.ts'
import { formatSpiffeId } from './spiffe-id.ts'

export const authorityKinds = ['identity', 'public'] as const
/** Those of the network itself, which every region has. */
export type AuthorityKind = (typeof authorityKinds)[number]

export const allKinds = [...authorityKinds, ...meshes] as const
export type AnyKind = (typeof allKinds)[number]

export const isMesh = (kind: AnyKind): kind is Mesh => (meshes as readonly AnyKind[]).includes(kind)

export interface AuthorityPlace {
  readonly region: string
  readonly kind: AnyKind
  readonly placement: Placement
}

const loopback = ['127.0.0.0/8', '::1/128']
const everyAddress = ['0.0.0.0/0', '::/0']

/** All three kinds of name are limited together: a limit on one would leave the others open. */
export function authorityProfile(
  archipelago: Archipelago,
  place: AuthorityPlace,
): AuthorityProfile {
  const region = requireRegion(archipelago.regions, place.region)
  const trustDomain = regionDomain(archipelago, region.name)
  const { kind } = place
  if (isMesh(kind))
    return {
      ...(namesUris(kind) && { trustDomain }),
      purposes: ['serverAuth', 'clientAuth'],
      nameConstraints: meshConstraints(archipelago, kind, trustDomain),
    }
  return kind === 'identity'
    ? { trustDomain, nameConstraints: identityConstraints(archipelago, trustDomain, place) }
    : {
        purposes: ['serverAuth'],
        nameConstraints: publicConstraints(trustDomain, region.addresses, place),
      }
}

/**
 * Names inside of a cluster are permitted to every region, so they mean something only to those who
 * trust one region alone: routes, leafnodes and whoever dials inside.
 */
function identityConstraints(
  archipelago: Archipelago,
  domain: string,
  { placement }: AuthorityPlace,
): NameConstraints {
  const isLaptop = placement === 'laptop'
  const dns = isLaptop ? [domain] : [domain, servicesDomain(archipelago)]
  return {
    permitted: { uris: [domain], dns, ips: isLaptop ? loopback : [] },
    excluded: { ...noSubtrees, ips: isLaptop ? [] : everyAddress },
  }
}

/** Without a constraint on URIs, which several TLS libraries mishandle: nobody reads URIs from here. */
function publicConstraints(
  domain: string,
  addresses: readonly string[],
  { placement }: AuthorityPlace,
): NameConstraints {
  const isLaptop = placement === 'laptop'
  const names = addresses.filter((address) => isIP(address) === 0)
  const own = addresses.filter((address) => isIP(address) !== 0).map(asRange)
  // Where every server has an address of its own, clients hear of the servers' own names, too.
  const dns = [...names, isLaptop ? 'localhost' : domain]
  const ips = [...own, ...(isLaptop ? loopback : [])]
  return {
    permitted: { uris: [], dns, ips },
    excluded: { ...noSubtrees, ips: ips.length === 0 ? everyAddress : [] },
  }
}

const asRange = (address: string) => `${address}/${isIPv4(address) ? 32 : 128}`

const everyPurpose = ['serverAuth', 'clientAuth'] as const

export interface Acceptance {
  readonly kind: AnyKind
  readonly profile: AuthorityProfile
  readonly roots: readonly Certificate[]
  readonly nowMs: number
}

/** Refuses what no root of that kind has signed, and an authority of other limits than the profile's. */
export function acceptIntermediate(certificate: Certificate, acceptance: Acceptance): void {
  const { kind, profile, roots, nowMs } = acceptance
  verifyChain([certificate], roots, { nowMs, purposes: profile.purposes ?? everyPurpose })
  requireAuthority(certificate)
  const { trustDomain } = profile
  const name = trustDomain === undefined ? [] : [formatSpiffeId(trustDomain)]
  const { names, basicConstraints, extendedKeyUsage } = certificate
  if (names.uris.join() !== name.join() || names.dns.length + names.ips.length > 0)
    throw new Refusal(
      'ERR_AUTHORITY_OTHER',
      `authority is of another trust domain: ${quote(names.uris.join())}`,
    )
  if (basicConstraints?.pathLengthMax !== 0)
    throw new Refusal('ERR_AUTHORITY_CONSTRAINTS', 'authority may sign authorities')
  const wanted = profile.purposes?.map((purpose) => purposeId[purpose])
  if (extendedKeyUsage?.join() !== wanted?.join())
    throw new Refusal('ERR_AUTHORITY_CONSTRAINTS', `authority has other purposes than ${kind}`)
  if (!isSame(certificate.nameConstraints, profile.nameConstraints))
    throw new Refusal('ERR_AUTHORITY_CONSTRAINTS', 'authority has other limits than its region')
}

function isSame(found: NameConstraints | undefined, wanted: NameConstraints): boolean {
  if (found === undefined) return false
  // In the spelling of the encoding: addresses have more than one.
  return encodeNameConstraints(found).equals(encodeNameConstraints(wanted))
}
