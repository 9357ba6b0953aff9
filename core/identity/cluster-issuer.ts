// Who signs the tokens of a cluster's service accounts, as its API server publishes it: the issuer by OpenID
// Connect Discovery 1.0 section 4.2, its keys as a JWK set (RFC 7517).
import * as z from 'zod'
import { Refusal } from '../errors.ts'
import { parseUniqueJson } from './json.ts'
import { readJwkSet, type PublicJwk } from './jwk-set.ts'

export interface ClusterIssuer {
  /** The exact `iss` of its tokens. */
  readonly issuer: string
  readonly keys: readonly PublicJwk[]
}

const code = 'ERR_ISSUER_KEYS'
const discovery = z.object({ issuer: z.string().regex(/^https:\/\/[\x21-\x7e]{1,248}$/) })

/** Refuses an issuer that is no https URL, and keys by which no token can be verified. */
export function readClusterIssuer(configuration: unknown, jwks: unknown): ClusterIssuer {
  const { data, error } = discovery.safeParse(configuration)
  if (error !== undefined) throw new Refusal(code, 'illegal issuer of a cluster: not an https URL')
  return { issuer: data.issuer, keys: readJwkSet(jwks, 'sig') }
}

/** A JWK set that also names its issuer. */
export function formatClusterIssuer({ issuer, keys }: ClusterIssuer): string {
  return JSON.stringify({ issuer, ...jwkSet(keys) })
}

/** The inverse; refuses as readClusterIssuer does. */
export function parseClusterIssuer(text: string): ClusterIssuer {
  const value = parseUniqueJson(text, { what: 'issuer of a cluster', code })
  return readClusterIssuer(value, value)
}

/** As a file that archipelago.yaml names: the public keys, and nothing else of what came. */
export function formatJwkSet(keys: readonly PublicJwk[]): string {
  return `${JSON.stringify(jwkSet(keys), undefined, 2)}\n`
}

const jwkSet = (keys: readonly PublicJwk[]) => ({
  keys: keys.map(({ kid, alg, jwk }) => ({ ...jwk, use: 'sig', kid, ...(alg && { alg }) })),
})
