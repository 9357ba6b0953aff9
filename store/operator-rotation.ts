// Replaces the operator's signing key in use. The spare one signs all that the old one signed: servers
// and clients know it since the first day, so nothing fails until the servers have the new operator JWT.
import type { AccountJwt } from '../core/trust/account.ts'
import { signAccount } from '../core/trust/account.ts'
import { signConfiguration } from '../core/trust/configuration.ts'
import { signDenyList } from '../core/trust/deny-list.ts'
import type { Nkey, NkeyPair } from '../core/trust/nkey.ts'
import { signOperator, type OperatorJwt } from '../core/trust/operator.ts'
import { readPublishedAccounts } from './applied.ts'
import { removeDurably } from './durable.ts'
import { requireIdentityKey } from './identity-key.ts'
import { keyFile, makeKey, useKey } from './nsc.ts'
import {
  operatorSigner,
  readOperatorHome,
  writeTrust,
  type BootstrapOptions,
  type TrustPlace,
} from './operator.ts'
import { publicFiles, readConfiguration } from './public.ts'
import { withTrustLock } from './trust-lock.ts'

export interface ReplacedOperatorKey {
  readonly old: Nkey<'operator'>
  /** The spare one, which signs now. */
  readonly current: Nkey<'operator'>
  /** The new spare one. */
  readonly spare: Nkey<'operator'>
  readonly accounts: readonly AccountJwt[]
}

/** Which key would be replaced by which; refuses without the identity key. */
export function planOperatorKey(place: TrustPlace): Pick<ReplacedOperatorKey, 'old' | 'current'> {
  const home = readOperatorHome(place)
  requireIdentityKey(home)
  const { store, operator } = home
  const old = operatorSigner(store, operator).publicKey
  return { old, current: operator.claims.nats.signing_keys.find((key) => key !== old) ?? old }
}

/** Signs everything with the spare key, then the operator JWT anew; refuses without the identity key. */
export function replaceOperatorKey(options: BootstrapOptions): ReplacedOperatorKey {
  return withTrustLock(options.homes, () => {
    const home = readOperatorHome(options)
    const identity = requireIdentityKey(home)
    const { store, operator } = home
    const { old, current } = planOperatorKey(options)
    const signer = useKey(store, 'operator', current)
    const spare = makeKey(store, 'operator').publicKey
    const accounts = signAgain(options, signer)
    writeTrust({ store, homes: options.homes, operator, accounts })
    signDocuments(options, { operator, signer })
    const next = signOperator(identity, {
      name: store.operator,
      signingKeys: [current, spare],
      systemAccount: operator.claims.nats.system_account,
      nowSeconds: Math.max(options.nowSeconds, operator.claims.iat + 1),
    })
    writeTrust({ store, homes: options.homes, operator: next, accounts: [] })
    removeDurably(keyFile(store, old))
    return { old, current, spare, accounts }
  })
}

/** The closed ones of past accounts, too: servers go on holding them. */
function signAgain(
  { files, homes, nowSeconds }: BootstrapOptions,
  signer: NkeyPair<'operator'>,
): AccountJwt[] {
  return readPublishedAccounts(files, homes).map(({ claims }) => {
    const { name = '', sub, nats: body } = claims
    const declared = { name, publicKey: sub as Nkey<'account'>, body }
    const later = Math.max(nowSeconds, claims.iat + 1)
    return signAccount(signer, declared, { nowSeconds: later, previous: undefined })
  })
}

function signDocuments(
  options: BootstrapOptions,
  { operator, signer }: { operator: OperatorJwt; signer: NkeyPair<'operator'> },
): void {
  const { files, homes, nowSeconds } = options
  const { denyList: previous } = readOperatorHome(options)
  const subject = operator.claims.sub as Nkey<'operator'>
  const list = signDenyList(signer, { operator: subject, previous, added: {}, nowSeconds })
  files.write(publicFiles.denyList(homes.public), list.text)
  const { claims } = readConfiguration(homes.public, operator)
  const { archipelago } = claims.nats
  const later = Math.max(nowSeconds, claims.iat + 1)
  const applied = { operator: subject, archipelago, nowSeconds: later, previous: undefined }
  files.write(publicFiles.configuration(homes.public), signConfiguration(signer, applied).text)
}
