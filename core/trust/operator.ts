import { Refusal } from '../errors.ts'
import { decodeJwt, encodeJwt, type Jwt, type JwtBody } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'

export interface OperatorBody extends JwtBody {
  readonly signing_keys: readonly Nkey<'operator'>[]
  readonly system_account: Nkey<'account'>
  readonly strict_signing_key_usage: boolean
}
export type OperatorJwt = Jwt<OperatorBody>

/**
 * The root of trust: a self-signed operator JWT. Two signing keys from the first day, because
 * nats-server cannot reload an operator JWT; strict usage, so that identity keys sign nothing online.
 */
export function signOperator(
  identity: NkeyPair<'operator'>,
  declared: {
    name: string
    signingKeys: readonly Nkey<'operator'>[]
    systemAccount: Nkey<'account'>
    nowSeconds: number
  },
): OperatorJwt {
  const nats: OperatorBody = {
    signing_keys: declared.signingKeys,
    system_account: declared.systemAccount,
    strict_signing_key_usage: true,
    type: 'operator',
    version: 2,
  }
  const claims = { iat: declared.nowSeconds, sub: identity.publicKey, name: declared.name, nats }
  return encodeJwt(claims, identity)
}

/** Whether one of the operator's signing keys signed it: its identity key signs nothing but itself. */
export function isSignedByOperator({ claims }: Jwt, operator: OperatorJwt): boolean {
  return operator.claims.nats.signing_keys.includes(claims.iss as Nkey<'operator'>)
}

/** Refuses an operator JWT that is not signed by itself or does not insist on signing keys. */
export function parseOperator(text: string): OperatorJwt {
  const operator = decodeJwt<OperatorBody>('operator', text)
  const { iss, sub, nats } = operator.claims
  if (iss !== sub)
    throw new Refusal('ERR_CHAIN_BROKEN', `operator ${sub}: signed by another: ${iss}`)
  if (!nats.strict_signing_key_usage || !Array.isArray(nats.signing_keys))
    throw new Refusal('ERR_CHAIN_BROKEN', `operator ${sub}: signing keys are not strictly used`)
  return operator
}
