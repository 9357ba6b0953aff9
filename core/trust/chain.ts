import { Refusal } from '../errors.ts'
import { parseAccount, type AccountJwt, type ScopedKey } from './account.ts'
import { requireAlive } from './jwt.ts'
import type { OperatorJwt } from './operator.ts'
import { parseUser, type UserJwt } from './user.ts'

export interface Chain {
  readonly user: UserJwt
  readonly account: AccountJwt
  readonly scope: ScopedKey
}

/**
 * Follows a user JWT to the pinned operator: user ← scoped signing key ← account ← operator's signing
 * key. Identity keys sign nothing here. Refuses an ended or revoked user as well.
 */
export function verifyChain(
  { userJwt, accountJwt }: { userJwt: string; accountJwt: string },
  { operator, nowSeconds }: { operator: OperatorJwt; nowSeconds: number },
): Chain {
  const account = parseAccount(accountJwt, operator)
  const user = parseUser(userJwt)
  const scope = requireScope(user, account)
  requireAlive(user, nowSeconds)
  const revoked = account.claims.nats.revocations[user.claims.sub]
  if (revoked !== undefined && user.claims.iat <= revoked)
    throw new Refusal('ERR_CHAIN_BROKEN', `user ${user.claims.sub}: revoked`)
  return { user, account, scope }
}

/** The ceiling under which the user was signed; refuses one that this account's keys did not sign. */
export function requireScope(user: UserJwt, account: AccountJwt): ScopedKey {
  const { iss, sub, nats } = user.claims
  if (nats.issuer_account !== account.claims.sub)
    throw new Refusal('ERR_CHAIN_BROKEN', `user ${sub}: of another account: ${nats.issuer_account}`)
  const scope = account.claims.nats.signing_keys.find(({ key }) => key === iss)
  if (scope === undefined)
    throw new Refusal('ERR_CHAIN_BROKEN', `user ${sub}: not signed by its account's keys: ${iss}`)
  return scope
}
