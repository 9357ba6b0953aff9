// JWK sets (RFC 7517 section 5) of those who sign tokens: a cluster, an OIDC issuer, a trust domain.
import type { KeyObject } from 'node:crypto'
import * as z from 'zod'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { formatJwk, parseJwk } from './jwk.ts'

/** A key that was parsed: its public half and nothing else. */
export interface PublicJwk {
  readonly kid: string
  /** The one algorithm that it may be used with, where its issuer said so. */
  readonly alg?: string | undefined
  readonly jwk: Readonly<Record<string, string>>
}
export interface TokenKey {
  readonly key: KeyObject
  readonly alg?: string | undefined
}

const entriesMax = 64
const shape = z.object({
  keys: z
    .array(
      z.looseObject({
        kty: z.string(),
        kid: z.string().max(256).optional(),
        use: z.string().optional(),
        alg: z.string().optional(),
      }),
    )
    .max(entriesMax),
})

/**
 * Leaves out keys of kinds and uses that are not for signatures of tokens. Refuses a set without any
 * key, a private or broken one, one without a key id, and two with the same.
 */
export function readJwkSet(value: unknown, use: 'sig' | 'jwt-svid'): PublicJwk[] {
  const { data, error } = shape.safeParse(value)
  if (error !== undefined) {
    const [issue] = error.issues
    throw illegal(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const isForUse = (of: string | undefined) => of === use || (use === 'sig' && of === undefined)
  const keys = data.keys.filter((entry) => isForUse(entry.use)).flatMap(readEntry)
  if (keys.length === 0) throw illegal('no key by which a token can be verified')
  const ids = new Set<string>()
  for (const { kid } of keys) {
    if (ids.has(kid)) throw illegal(`key id twice: ${quote(kid)}`)
    ids.add(kid)
  }
  return keys
}

function readEntry(entry: z.output<typeof shape>['keys'][number]): PublicJwk[] {
  const key = parseJwk(entry)
  if (key === undefined) return []
  const { kid, alg } = entry
  if (kid === undefined || kid === '') throw illegal('a key without key id')
  return [{ kid, ...(alg !== undefined && { alg }), jwk: formatJwk(key) }]
}

/** By key id. A TypeError for what readJwkSet did not make. */
export function importJwkSet(keys: readonly PublicJwk[]): ReadonlyMap<string, TokenKey> {
  return new Map(
    keys.map(({ kid, alg, jwk }) => {
      const key = parseJwk(jwk)
      if (key === undefined) throw new TypeError(`not a key of a token: ${kid}`)
      return [kid, { key, alg }] as const
    }),
  )
}

const illegal = (what: string) => new Refusal('ERR_ISSUER_KEYS', `illegal JWK set: ${what}`)
