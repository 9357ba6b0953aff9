// A network's authorities, made by the project's own issuer.
import { randomBytes } from 'node:crypto'
import type { Certificate } from '../../../core/identity/certificate.ts'
import { issueAuthority, issueLeaf, issueRoot, type Issuer } from '../../../core/identity/issue.ts'
import { noSubtrees, type NameConstraints } from '../../../core/identity/name-constraints.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../core/identity/spiffe-id.ts'
import { clusterConstraints, makePair, type Pair } from './forge.ts'

export interface Held extends Issuer {
  readonly pair: Pair
}

export const daySeconds = 24 * 3600

export function issuance(commonName: string, nowMs: number, lifetimeSeconds: number) {
  return {
    commonName,
    organization: 'archipelago',
    nowMs,
    lifetimeSeconds,
    serial: randomBytes(16),
  }
}

export async function makeRoot(nowMs: number, trustDomain?: string): Promise<Held> {
  const pair = makePair()
  const certificate = await issueRoot(pair, {
    ...issuance('root', nowMs, 3650 * daySeconds),
    ...(trustDomain !== undefined && { trustDomain: parseTrustDomain(trustDomain) }),
  })
  return { pair, key: pair.privateKey, certificate }
}

export async function makeAuthority(
  issuer: Issuer,
  region: string,
  nowMs: number,
  nameConstraints = clusterConstraints(region),
): Promise<Held> {
  const pair = makePair()
  const profile = { trustDomain: parseTrustDomain(`${region}.example`), nameConstraints }
  const certificate = await issueAuthority(pair.publicKey, profile, {
    ...issuance(`${region} identity`, nowMs, 90 * daySeconds),
    issuer,
  })
  return { pair, key: pair.privateKey, certificate }
}

/** On one machine: loopback addresses, no names inside of a cluster. */
export const laptopConstraints = (region: string): NameConstraints => ({
  permitted: {
    uris: [`${region}.example`],
    dns: [`${region}.example`],
    ips: ['127.0.0.0/8', '::1/128'],
  },
  excluded: noSubtrees,
})

export interface HeldLeaf {
  readonly certificate: Certificate
  readonly pair: Pair
}

export async function makeLeaf(
  issuer: Issuer,
  leaf: { id: string; dns?: readonly string[]; ips?: readonly string[] },
  nowMs: number,
  lifetimeSeconds = 3600,
): Promise<HeldLeaf> {
  const pair = makePair()
  const { id, dns = [], ips = [] } = leaf
  const certificate = await issueLeaf(
    pair.publicKey,
    { id: parseSpiffeId(id), dns, ips },
    { ...issuance(dns[0] ?? 'workload', nowMs, lifetimeSeconds), issuer },
  )
  return { certificate, pair }
}
