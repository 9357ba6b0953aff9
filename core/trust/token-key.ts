// To which key tokens for a region's function are sealed: made in that region, its public half signed
// by the operator, so that nobody who hands out network files can put his own in its place.
import { parseCurveKey, type CurveKey } from '../access/curve-key.ts'
import { Refusal } from '../errors.ts'
import { decodeJwt, encodeJwt, requireAlive, type Jwt, type JwtBody } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'

const type = 'archipelago-token-key'

interface TokenKeyBody extends JwtBody {
  readonly region: string
  readonly curve: string
}
type TokenKeyJwt = Jwt<TokenKeyBody>

/** Times are Unix seconds. */
export function signTokenKey(
  signer: NkeyPair<'operator'>,
  of: {
    readonly operator: Nkey<'operator'>
    readonly region: string
    readonly curve: CurveKey
    readonly nowSeconds: number
    readonly expiresAtSeconds: number
  },
): TokenKeyJwt {
  const { operator: sub, region, curve, nowSeconds: iat, expiresAtSeconds: exp } = of
  const nats: TokenKeyBody = { region, curve, type, version: 1 }
  return encodeJwt({ iat, exp, sub, name: region, nats }, signer)
}

/** Refuses one that is not of this operator, of another region, or over. */
export function parseTokenKey(
  text: string,
  of: { readonly operator: OperatorJwt; readonly region: string; readonly nowSeconds: number },
): CurveKey {
  const { operator, region, nowSeconds } = of
  const key = decodeJwt<TokenKeyBody>(type, text)
  const { iss, sub, nats } = key.claims
  if (!isSignedByOperator(key, operator) || sub !== operator.claims.sub)
    throw illegal(`signed by a foreign operator: ${iss}`)
  if (nats.region !== region) throw illegal(`of region ${nats.region}, not ${region}`)
  requireAlive(key, nowSeconds)
  return parseCurveKey(nats.curve)
}

const illegal = (what: string) =>
  new Refusal('ERR_TOKEN_KEY_ILLEGAL', `key for sealed tokens: ${what}`)
