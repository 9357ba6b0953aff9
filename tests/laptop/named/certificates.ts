// The authorities and certificates of a network in which names resolve, each step where its key is.
import { createHash, randomBytes } from 'node:crypto'
import { authorityKinds, type AuthorityPlace } from '../../../core/identity/authority.ts'
import { formatCertificates } from '../../../core/identity/certificate.ts'
import { issueLeaf, type Issuer, type LeafProfile } from '../../../core/identity/issue.ts'
import { leafnodeLeaf, publicLeaf, serverLeaf } from '../../../core/identity/names.ts'
import type { RegionPlace } from '../../../core/network/endpoint.ts'
import type { KeyFiles } from '../../../core/network/tls.ts'
import { identityPaths, publicPaths } from '../../../laptop/layout.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../../store/authority-keys.ts'
import { writePrivate } from '../../../store/files.ts'
import {
  adoptIntermediate,
  publishIntermediate,
  readIntermediate,
  requestIntermediate,
  signIntermediate,
} from '../../../store/intermediate.ts'
import { ensureRoot, readRoot, type AuthorityStore } from '../../../store/root.ts'

export type IssuerOf = (region: string, kind: AuthorityPlace['kind']) => Issuer

export async function makeAuthorities(store: AuthorityStore): Promise<IssuerOf> {
  const issuers = new Map<string, Issuer>()
  for (const kind of authorityKinds) {
    await ensureRoot(store, kind)
    for (const { name: region } of store.archipelago.regions)
      issuers.set(
        `${region} ${kind}`,
        await makeAuthority(store, { region, kind, placement: 'distributed' }),
      )
  }
  return (region, kind) => issuers.get(`${region} ${kind}`) as Issuer
}

async function makeAuthority(store: AuthorityStore, place: AuthorityPlace): Promise<Issuer> {
  const request = requestIntermediate(store, place)
  const root = () => readRoot(store, place.kind)
  const { certificate } = await signIntermediate(store, place, { request, root })
  publishIntermediate(store, place, certificate)
  adoptIntermediate(store, place, formatCertificates([certificate]))
  return readIntermediate(store, place) as Issuer
}

/** For every server and leafnode server; hands back their pins by name. */
export async function makeLeaves(
  { homes: { data }, archipelago }: AuthorityStore,
  regions: readonly RegionPlace[],
  issuerOf: IssuerOf,
): Promise<Map<string, string>> {
  const pins = new Map<string, string>()
  for (const { name: region, servers, leafnode } of regions) {
    const identity = issuerOf(region, 'identity')
    const addresses = archipelago.regions.find(({ name }) => name === region)?.addresses ?? []
    for (const server of servers) {
      const leaf = serverLeaf(archipelago, server)
      pins.set(server.name, await writeLeaf(identityPaths(data, server), leaf, identity))
      const outside = publicLeaf([...addresses, server.client.host])
      await writeLeaf(publicPaths(data, server), outside, issuerOf(region, 'public'))
    }
    const leaf = leafnodeLeaf(archipelago, leafnode)
    pins.set(leafnode.name, await writeLeaf(identityPaths(data, leafnode), leaf, identity))
  }
  return pins
}

/** A new key and a certificate for it, in these files; hands back the pin. */
export async function writeLeaf(
  files: KeyFiles,
  profile: LeafProfile,
  issuer: Issuer,
): Promise<string> {
  const pair = makeAuthorityKey()
  const leaf = await issueLeaf(pair.publicKey, profile, {
    ...{ issuer, commonName: 'leaf', nowMs: Date.now(), lifetimeSeconds: 3600 },
    serial: randomBytes(16),
  })
  writePrivate(files.key, formatPrivateKey(pair.privateKey))
  writePrivate(files.certificate, formatCertificates([leaf, issuer.certificate]))
  return createHash('sha256').update(leaf.spki).digest('hex')
}
