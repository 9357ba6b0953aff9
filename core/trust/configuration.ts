// archipelago.yaml as it was applied, signed by the operator: what functions go by. An edit takes effect
// when it is applied, and nobody between the operator and a function can change or turn it back.
import type { Archipelago } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import { decodeJwt, encodeJwt, type Jwt, type JwtBody } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'

const type = 'archipelago-configuration'

export interface ConfigurationBody extends JwtBody {
  readonly archipelago: Archipelago
}
/** Its `iat` is its sequence: of two the later issued is in force. */
export type ConfigurationJwt = Jwt<ConfigurationBody>

/** Signs what is applied, or hands back the previous document, byte for byte, where nothing changed. */
export function signConfiguration(
  signer: NkeyPair<'operator'>,
  applied: {
    readonly operator: Nkey<'operator'>
    readonly archipelago: Archipelago
    readonly nowSeconds: number
    readonly previous: ConfigurationJwt | undefined
  },
): ConfigurationJwt {
  const { operator, archipelago, nowSeconds, previous } = applied
  const nats: ConfigurationBody = { archipelago, type, version: 1 }
  if (previous !== undefined && JSON.stringify(previous.claims.nats) === JSON.stringify(nats))
    return previous
  const iat = Math.max(nowSeconds, (previous?.claims.iat ?? 0) + 1)
  return encodeJwt({ iat, sub: operator, name: archipelago.network, nats }, signer)
}

/** Refuses a document that is not of this operator; what it signed was parsed before. */
export function parseConfiguration(text: string, operator: OperatorJwt): ConfigurationJwt {
  const configuration = decodeJwt<ConfigurationBody>(type, text)
  const { iss, sub } = configuration.claims
  if (!isSignedByOperator(configuration, operator) || sub !== operator.claims.sub)
    throw new Refusal(
      'ERR_CONFIGURATION_FOREIGN',
      `configuration: signed by a foreign operator: ${iss}`,
    )
  return configuration
}

/** Refuses a document that was issued before the one that is held. */
export function requireNotOlder(held: ConfigurationJwt, next: ConfigurationJwt): void {
  if (next.claims.iat < held.claims.iat)
    throw new Refusal(
      'ERR_CONFIGURATION_OLDER',
      `configuration: issued at ${next.claims.iat}, before the one that is held: ${held.claims.iat}`,
    )
}
