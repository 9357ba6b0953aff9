import { Refusal } from '../errors.ts'
import { decodeJwt, encodeJwt, type Jwt, type JwtBody, type JwtClaims } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'

/** The subjects of a permission: an absent list allows all, so ceilings always name both. */
export interface SubjectLists {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}
/** What every user of a scoped signing key may do; the server fills in `{{subject()}}`. */
export interface PermissionTemplate {
  readonly pub: SubjectLists
  readonly sub: SubjectLists
  readonly subs: number
  readonly data: number
  readonly payload: number
  readonly allowed_connection_types: readonly ConnectionType[]
}
export type ConnectionType = 'STANDARD' | 'WEBSOCKET' | 'LEAFNODE'
/** A signing key that can mint users of one ceiling and nothing wider. */
export interface ScopedKey {
  readonly kind: 'user_scope'
  readonly key: Nkey<'account'>
  readonly role: string
  readonly template: PermissionTemplate
  readonly description: string
}
export interface ServiceExport {
  readonly name: string
  readonly subject: string
  readonly type: 'service'
}
export interface ServiceImport {
  readonly name: string
  readonly subject: string
  readonly local_subject?: string
  readonly account: Nkey<'account'>
  readonly type: 'service'
  /** The responder sees who asks (Nats-Request-Info). */
  readonly share: boolean
}
export interface AccountLimits {
  readonly subs: number
  readonly data: number
  readonly payload: number
  readonly imports: number
  readonly exports: number
  readonly wildcards: boolean
  readonly disallow_bearer: boolean
  readonly conn: number
  readonly leaf: number
}
export interface AccountBody extends JwtBody {
  readonly limits: AccountLimits
  readonly signing_keys: readonly ScopedKey[]
  readonly imports: readonly ServiceImport[]
  readonly exports: readonly ServiceExport[]
  readonly revocations: Readonly<Record<string, number>>
}
export type AccountJwt = Jwt<AccountBody>

/**
 * Signs what is declared of an account, or hands back the previous JWT, byte for byte, where
 * nothing changed. `iat` rises strictly: servers keep the JWT with the highest and take equal ones
 * for newer, so a change within one second could be undone.
 */
export function signAccount(
  signer: NkeyPair<'operator'>,
  declared: { name: string; publicKey: Nkey<'account'>; body: AccountBody },
  { nowSeconds, previous }: { nowSeconds: number; previous: AccountJwt | undefined },
): AccountJwt {
  if (previous !== undefined && isSame(previous.claims, declared)) return previous
  const iat = Math.max(nowSeconds, (previous?.claims.iat ?? 0) + 1)
  const { name, publicKey, body } = declared
  return encodeJwt({ iat, sub: publicKey, name, nats: body }, signer)
}

/** Refuses an account JWT that this operator's signing keys did not sign. */
export function parseAccount(text: string, operator: OperatorJwt): AccountJwt {
  const account = decodeJwt<AccountBody>('account', text)
  const { iss, sub, nats } = account.claims
  if (!isSignedByOperator(account, operator))
    throw new Refusal('ERR_ACCOUNT_FOREIGN', `account ${sub}: signed by a foreign operator: ${iss}`)
  if (nats.signing_keys.some((scope) => scope.kind !== 'user_scope'))
    throw new Refusal('ERR_CHAIN_BROKEN', `account ${sub}: has a signing key without a ceiling`)
  return account
}

function isSame(
  claims: JwtClaims<AccountBody>,
  declared: { name: string; publicKey: string; body: AccountBody },
): boolean {
  const { name, publicKey, body } = declared
  return (
    claims.name === name &&
    claims.sub === publicKey &&
    JSON.stringify(claims.nats) === JSON.stringify(body)
  )
}
