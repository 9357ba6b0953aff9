// A function's certificate, made anew in the files where its process looks for it.
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import type { AuthorityKind } from '../../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../../core/identity/certificate.ts'
import { issueLeaf, type Issuer } from '../../core/identity/issue.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import type { DoorPlace } from '../../core/network/endpoint.ts'
import { functionHolder } from '../../laptop/identity/holders.ts'
import { identityPaths, publicPaths } from '../../laptop/layout.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { openFiles, readOrRefuse, writePrivate } from '../../store/files.ts'
import { readIntermediate } from '../../store/intermediate.ts'
import type { TestNetwork } from '../test-network.ts'

export interface Reissue {
  readonly region: string
  readonly door: FunctionDoor
  readonly kind: AuthorityKind
  readonly hasNewKey?: boolean
  /** How far its issuer's clock is off. */
  readonly shiftMs?: number
}

/** Signed by the region's own authority; the key first, as issuers do. */
export async function reissue(network: TestNetwork, wanted: Reissue): Promise<Certificate> {
  const { region, door, kind, hasNewKey = false, shiftMs = 0 } = wanted
  const { archipelago, homes } = network
  const place = placeOf(network, { region, door })
  const holder = functionHolder(archipelago, place)
  const profile = kind === 'identity' ? holder.identity : holder.public
  const paths = (kind === 'identity' ? identityPaths : publicPaths)(homes.data, place)
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  const issuer = readIntermediate(store, { region, kind, placement: 'laptop' }) as Issuer
  const key = hasNewKey
    ? makeAuthorityKey().privateKey
    : createPrivateKey(readOrRefuse(paths.key, 'key'))
  const leaf = await issueLeaf(createPublicKey(key), profile ?? { dns: [], ips: [] }, {
    ...{ issuer, commonName: holder.name, nowMs: Date.now() + shiftMs, lifetimeSeconds: 3600 },
    serial: randomBytes(16),
  })
  if (hasNewKey) writePrivate(paths.key, formatPrivateKey(key))
  writePrivate(paths.certificate, formatCertificates([leaf, issuer.certificate]))
  return leaf
}

export function placeOf(
  { supercluster: { regions } }: TestNetwork,
  { region, door }: { region: string; door: FunctionDoor },
): DoorPlace {
  const doors = regions.find(({ name }) => name === region)?.doors ?? []
  return doors.find((place) => place.door === door) as DoorPlace
}
