// The trust of archipelago.yaml, made of keys that are the same in every run.
import { hash } from 'node:crypto'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { signAccount, type AccountJwt } from '../../../core/trust/account.ts'
import { accountNames, declareAccounts, serviceUserNames } from '../../../core/trust/declare.ts'
import { nkeyPairFrom, type Nkey, type NkeyPair, type NkeyRole } from '../../../core/trust/nkey.ts'
import { signOperator } from '../../../core/trust/operator.ts'
import type { RegionKeys } from '../../../core/trust/region-keys.ts'
import { file, good } from '../archipelago/example.ts'

export const archipelago = parseArchipelago(good, file)
export const nowSeconds = 1_790_000_000

/** The key pair of this name, always the same one. */
export function pairOf<R extends NkeyRole>(role: R, name: string): NkeyPair<R> {
  return nkeyPairFrom(role, hash('sha256', name, 'buffer'))
}

export const identity = pairOf('operator', 'identity')
export const signer = pairOf('operator', 'signer')
export const stranger = pairOf('operator', 'stranger')

const accountKey = (name: string): Nkey<'account'> => pairOf('account', name).publicKey

export const operator = signOperator(identity, {
  name: archipelago.network,
  signingKeys: [signer.publicKey, pairOf('operator', 'spare').publicKey],
  systemAccount: accountKey('SYS'),
  nowSeconds,
})

/** The public halves of a region's keys: `member.lobby.ams3` is the pair of that name. */
export function regionKeysOf(region: string): RegionKeys {
  return {
    region,
    leafnode: [accountKey(`leafnode.${region}`)],
    leafnodeUser: pairOf('user', `leafnode.${region}`).publicKey,
    monitor: [accountKey(`monitor.${region}`)],
    doors: {
      lobby: {
        nkey: pairOf('user', `lobby.${region}`).publicKey,
        signingKeys: { member: [accountKey(`member.lobby.${region}`)] },
      },
      invite: {
        nkey: pairOf('user', `invite.${region}`).publicKey,
        signingKeys: { moderator: [accountKey(`moderator.invite.${region}`)] },
      },
    },
  }
}

export const regions = archipelago.regions.map(({ name }) => regionKeysOf(name))

export const declared = declareAccounts(archipelago, {
  accounts: Object.fromEntries(accountNames(archipelago).map((name) => [name, accountKey(name)])),
  serviceUsers: Object.fromEntries(
    serviceUserNames(archipelago).map((user) => [user, accountKey(user)]),
  ),
  regions,
  revocations: {},
})

export const accounts: AccountJwt[] = declared.map(({ name, body }) =>
  signAccount(
    signer,
    { name, publicKey: accountKey(name), body },
    { nowSeconds, previous: undefined },
  ),
)

export function accountOf(name: string): AccountJwt {
  const account = accounts.find(({ claims }) => claims.name === name)
  if (account === undefined) throw new RangeError(`no account ${name}`)
  return account
}
