import type { AccountJwt } from '../trust/account.ts'
import type { Nkey, NkeyPair } from '../trust/nkey.ts'
import { signUser, type UserJwt } from '../trust/user.ts'
import { sealAnswer, type SealedTo } from './answer.ts'
import type { Grant } from './decision.ts'
import { ticketTags } from './renewal.ts'

/** A role's signing key, and the account that publishes its ceiling. */
export interface RoleSigner {
  readonly key: NkeyPair<'account'>
  readonly account: AccountJwt
}

type Issued = Pick<Grant, 'nkey' | 'name' | 'ticketId' | 'issuedAtSeconds' | 'expiresAtSeconds'>

/** The credential that a decision granted. */
export function issueCredential(granted: Issued, { key, account }: RoleSigner): UserJwt {
  const { nkey, name, ticketId, issuedAtSeconds, expiresAtSeconds } = granted
  const tags = ticketTags(ticketId)
  return signUser(key, {
    publicKey: nkey,
    name,
    account: account.claims.sub as Nkey<'account'>,
    ...(tags && { tags }),
    issuedAtSeconds,
    expiresAtSeconds,
  })
}

export interface Sealing extends Pick<SealedTo, 'encapsulated'> {
  readonly user: UserJwt
  readonly account: AccountJwt
  readonly region: string
}

/** The credential on its way to the requestor, and to nobody else. */
export function sealCredential(
  grant: Grant,
  { user, account, region, encapsulated }: Sealing,
): string {
  const { nonce, nkey, curve, proof } = grant
  const answer = { nonce, nkey, jwt: user.text, account: account.text, region }
  return sealAnswer(answer, { curve, proof, ...(encapsulated && { encapsulated }) })
}
