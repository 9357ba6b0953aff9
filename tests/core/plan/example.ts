// What the accounts say for any archipelago.yaml, with keys that are the same in every run.
import { parseArchipelago, type Archipelago } from '../../../core/archipelago.ts'
import { openDoors } from '../../../core/network/access-subject.ts'
import type { AccountBodies } from '../../../core/plan/accounts.ts'
import type { NetworkState } from '../../../core/plan/plan.ts'
import {
  accountNames,
  declareAccounts,
  formatScopeName,
  serviceUserNames,
} from '../../../core/trust/declare.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import type { RegionKeys } from '../../../core/trust/region-keys.ts'
import { file, good } from '../archipelago/example.ts'
import { pairOf } from '../trust/example.ts'

export function stateOf(text: string): NetworkState & { readonly archipelago: Archipelago } {
  const archipelago = parseArchipelago(text, file)
  return { archipelago, accounts: bodiesOf(archipelago) }
}

const accountKey = (name: string): Nkey<'account'> => pairOf('account', name).publicKey
const keysOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, accountKey(name)]))

export const before = stateOf(good)

function bodiesOf(archipelago: Archipelago): AccountBodies {
  const declared = declareAccounts(archipelago, {
    accounts: keysOf(accountNames(archipelago)),
    serviceUsers: keysOf(serviceUserNames(archipelago)),
    regions: archipelago.regions.map(({ name }) => regionKeysOf(name, archipelago)),
    revocations: {},
  })
  return new Map(declared.map(({ name, body }) => [name, body]))
}

function regionKeysOf(region: string, { roles }: Archipelago): RegionKeys {
  const doors = openDoors(roles).map((door) => {
    const names = roles.filter((role) => role.doors.includes(door)).map(({ name }) => name)
    const signingKeys = names.map((role) => [
      role,
      [accountKey(formatScopeName({ role, door, region }))],
    ])
    const nkey = pairOf('user', `${door}.${region}`).publicKey
    return [door, { nkey, signingKeys: Object.fromEntries(signingKeys) }]
  })
  return {
    region,
    leafnode: [accountKey(`leafnode.${region}`)],
    leafnodeUser: pairOf('user', `leafnode.${region}`).publicKey,
    doors: Object.fromEntries(doors),
  }
}
