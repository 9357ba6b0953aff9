// What is there of the trust, for people and programs: public keys, names and places, never a seed.
import { hash } from 'node:crypto'
import { relative } from 'node:path'
import { denyListState } from '../core/trust/deny-list.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { formatRegionKeys } from '../core/trust/region-keys.ts'
import type { Bootstrapped, BootstrappedRegion } from './bootstrap.ts'
import type { FileChange } from './files.ts'
import { regionHome, type Homes } from './homes.ts'
import { findKey } from './nsc.ts'
import type { OperatorHome } from './operator.ts'

export interface TrustReport {
  readonly data: string
  readonly operator?: OperatorReport
  readonly accounts: readonly {
    readonly name: string
    readonly publicKey: string
    /** The ceilings that it publishes, and the keys that sign under them. */
    readonly scopes: readonly { readonly name: string; readonly key: string }[]
  }[]
  readonly regions: readonly RegionReport[]
  readonly denyList?: { readonly sequence: number; readonly digest: string }
  /** Paths below the data folder. */
  readonly changes: readonly FileChange[]
}
interface OperatorReport {
  readonly publicKey: string
  readonly folder: string
  readonly isIdentityKeyHere: boolean
  readonly signingKeys: readonly { readonly key: string; readonly isHere: boolean }[]
}
interface RegionReport {
  readonly name: string
  readonly home: BootstrappedRegion['home']
  readonly folder?: string
  /** SHA-256 of its public keys' file: the same at both ends of an adoption. */
  readonly digest?: string
}

export function describeTrust(
  { operator, regions }: Bootstrapped,
  { homes, changes }: { homes: Homes; changes: readonly FileChange[] },
): TrustReport {
  return {
    data: homes.data,
    ...(operator && { operator: describeOperator(operator) }),
    accounts: (operator?.accounts ?? []).map(({ claims }) => ({
      name: claims.name as string,
      publicKey: claims.sub,
      scopes: claims.nats.signing_keys.map(({ role, key }) => ({ name: role, key })),
    })),
    regions: regions.map((region) => describeRegion(region, homes)),
    ...(operator && { denyList: denyListState(operator.denyList) }),
    changes: changes.map(({ path, kind }) => ({ path: relative(homes.data, path), kind })),
  }
}

function describeOperator({ store, operator }: OperatorHome): OperatorReport {
  const isHere = (key: Nkey<'operator'>) => findKey(store, 'operator', key) !== undefined
  const { sub, nats } = operator.claims
  return {
    publicKey: sub,
    folder: store.keys,
    isIdentityKeyHere: isHere(sub as Nkey<'operator'>),
    signingKeys: nats.signing_keys.map((key) => ({ key, isHere: isHere(key) })),
  }
}

function describeRegion({ name, home, keys }: BootstrappedRegion, homes: Homes): RegionReport {
  return {
    name,
    home,
    ...(home === 'here' && { folder: regionHome(homes, name) }),
    ...(keys && { digest: hash('sha256', formatRegionKeys(keys)) }),
  }
}
