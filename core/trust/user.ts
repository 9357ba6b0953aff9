import { decodeJwt, encodeJwt, type Jwt, type JwtBody } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'

export interface UserBody extends JwtBody {
  readonly issuer_account: Nkey<'account'>
  readonly tags?: readonly string[]
}
export type UserJwt = Jwt<UserBody>
export interface User {
  readonly publicKey: Nkey<'user'>
  readonly name: string
  readonly account: Nkey<'account'>
  readonly tags?: readonly string[]
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/**
 * A user of a scoped signing key: exactly empty of permissions and limits, or nats-server refuses
 * it (nats-io/jwt: HasEmptyPermissions). What it may do stands in the account JWT.
 */
export function signUser(signer: NkeyPair<'account'>, user: User): UserJwt {
  const nats: UserBody = {
    issuer_account: user.account,
    ...(user.tags && { tags: user.tags }),
    type: 'user',
    version: 2,
  }
  const { publicKey: sub, name, issuedAtSeconds: iat, expiresAtSeconds: exp } = user
  return encodeJwt({ iat, exp, sub, name, nats }, signer)
}

/** Checks form and signature; whether the issuer may is the chain's to say. */
export function parseUser(text: string): UserJwt {
  return decodeJwt<UserBody>('user', text)
}
