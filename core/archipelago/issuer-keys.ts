// The keys of issuers, which archipelago.yaml names by file: they are part of what the operator signs,
// so that nobody between the operator and a function can exchange them.
import type { Archipelago, Issuer } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import { readJwkSet, type PublicJwk } from '../identity/jwk-set.ts'
import { parseUniqueJson } from '../identity/json.ts'

const textMax = 256 * 1024

/** Refuses a file that is not there or not a set of public keys; `read` knows the folder. */
export function withIssuerKeys(
  archipelago: Archipelago,
  read: (path: string) => string | undefined,
): Archipelago {
  return {
    ...archipelago,
    issuers: archipelago.issuers.map((issuer) => ({ ...issuer, keys: readKeys(issuer, read) })),
  }
}

function readKeys(
  { name, kind, jwks }: Issuer,
  read: (path: string) => string | undefined,
): PublicJwk[] {
  const what = `keys of issuer ${name} in ${jwks}`
  const text = read(jwks)
  if (text === undefined) throw new Refusal('ERR_ISSUER_KEYS', `no ${what}`)
  if (text.length > textMax)
    throw new Refusal('ERR_ISSUER_KEYS', `${what}: over ${textMax} characters`)
  try {
    const value = parseUniqueJson(text, { what: 'JWK set', code: 'ERR_ISSUER_KEYS' })
    return readJwkSet(value, kind === 'jwt-svid' ? 'jwt-svid' : 'sig')
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new Refusal('ERR_ISSUER_KEYS', `${what}: ${cause.message}`, { cause })
  }
}
