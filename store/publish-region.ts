// What the accounts say of a region's keys, after these have changed.
import { signAccount, type AccountJwt } from '../core/trust/account.ts'
import { Refusal } from '../core/errors.ts'
import { accountNames } from '../core/trust/declare.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { formatRegionKeys, type RegionKeys } from '../core/trust/region-keys.ts'
import { regionScopes, replaceRegionKeys } from '../core/trust/region-scopes.ts'
import { hasHome, operatorHomeName } from './bootstrap.ts'
import { operatorSigner, readOperatorHome, writeTrust, type BootstrapOptions } from './operator.ts'
import { publicFiles, readPublicTrust } from './public.ts'
import { bootstrapRegion } from './region.ts'
import { withTrustLock } from './trust-lock.ts'

/**
 * Signs the accounts with the keys that lie in the region's home now; hands back those that concern
 * it. Where the operator's home is elsewhere, refuses unless the operator has published them.
 */
export function publishRegion(options: BootstrapOptions, region: string): AccountJwt[] {
  const keys = bootstrapRegion(options, region)
  const isSigner = hasHome(options, operatorHomeName)
  const accounts = isSigner ? signWith(options, keys) : readPublished(options, keys)
  const scopes = new Set(regionScopes(keys).map(({ scope }) => scope))
  return accounts.filter(({ claims }) =>
    claims.nats.signing_keys.some(({ role }) => scopes.has(role)),
  )
}

function signWith(options: BootstrapOptions, keys: RegionKeys): AccountJwt[] {
  const { files, homes, nowSeconds } = options
  return withTrustLock(homes, () => {
    const { store, operator, accounts } = readOperatorHome(options)
    const signer = operatorSigner(store, operator)
    const signed = accounts.map((previous) => {
      const { name = '', sub, nats } = previous.claims
      const body = replaceRegionKeys(nats, keys)
      const declared = { name, publicKey: sub as Nkey<'account'>, body }
      return signAccount(signer, declared, { nowSeconds, previous })
    })
    writeTrust({ store, homes, operator, accounts: signed })
    files.write(publicFiles.region(homes.public, keys.region), formatRegionKeys(keys))
    return signed
  })
}

function readPublished({ homes, archipelago }: BootstrapOptions, keys: RegionKeys): AccountJwt[] {
  const { accounts } = readPublicTrust(homes.public, accountNames(archipelago))
  const published = accounts.flatMap(({ claims }) => claims.nats.signing_keys)
  for (const { scope, keys: wanted } of regionScopes(keys)) {
    const known = published.filter(({ role }) => role === scope).map(({ key }) => key)
    if (known.toSorted().join() !== wanted.toSorted().join())
      throw new Refusal(
        'ERR_KEY_UNPUBLISHED',
        `the operator has not published the keys of ${scope}`,
      )
  }
  return [...accounts]
}
