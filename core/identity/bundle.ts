// Trust bundles (SPIFFE_Trust_Domain_and_Bundle.md section 4): by whom a trust domain's identities are
// signed, as a JWK set.
import type { KeyObject } from 'node:crypto'
import * as z from 'zod'
import { Refusal, type RefusalCode } from '../errors.ts'
import { quote } from '../quote.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { requireAuthority } from './chain.ts'
import { formatJwk, parseJwk } from './jwk.ts'
import { parseUniqueJson } from './json.ts'
import type { TrustDomain } from './spiffe-id.ts'

export interface Bundle {
  /** Rises with every change; without it nobody can tell which of two is newer. */
  readonly sequence?: number | undefined
  readonly refreshHintSeconds: number
  /** Of X.509-SVIDs. Roots, or intermediates that are trusted by themselves. */
  readonly authorities: readonly Certificate[]
  /** Of JWT-SVIDs, by key id. */
  readonly jwtKeys: ReadonlyMap<string, KeyObject>
}
export type BundleMap = ReadonlyMap<TrustDomain, Bundle>

const textMax = 1024 * 1024
const refreshHintSecondsDefault = 300
const entriesMax = 64

const whole = z.int().min(0)
const shape = z.object({
  keys: z.array(z.looseObject({ kty: z.string() })).max(entriesMax),
  spiffe_sequence: whole.optional(),
  spiffe_refresh_hint: whole.optional(),
})
const x509Entry = z.object({ x5c: z.tuple([z.base64()]) })
type Entry = z.infer<typeof shape>['keys'][number]

/** Refuses a bundle of which any part is broken; leaves out keys of kinds and uses that it does not know. */
export function parseBundle(text: string): Bundle {
  if (text.length > textMax) throw illegal(`over ${textMax} characters`)
  return readBundle(parseUniqueJson(text, { what: 'trust bundle', code: 'ERR_BUNDLE_ILLEGAL' }))
}

export function readBundle(value: unknown): Bundle {
  const { data, error } = shape.safeParse(value)
  if (error !== undefined) {
    const [issue] = error.issues
    throw illegal(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: hint } = data
  const authorities = keys.filter(({ use }) => use === 'x509-svid').flatMap(readAuthority)
  return {
    sequence,
    refreshHintSeconds: hint ?? refreshHintSecondsDefault,
    authorities: refuseTwice(authorities),
    jwtKeys: readJwtKeys(keys.filter(({ use }) => use === 'jwt-svid')),
  }
}

function readAuthority(entry: Entry): Certificate[] {
  const key = parseJwk(entry)
  if (key === undefined) return []
  const { data } = x509Entry.safeParse(entry)
  if (data === undefined) throw illegal('x5c is not exactly one certificate')
  const certificate = parseCertificate(Buffer.from(data.x5c[0], 'base64'))
  requireAuthority(certificate)
  if (!certificate.openssl.publicKey.equals(key))
    throw refusal('ERR_BUNDLE_KEY', 'x5c has another key than its entry')
  return [certificate]
}

function refuseTwice(authorities: Certificate[]): Certificate[] {
  const ders = authorities.map(({ der }) => der.toString('base64'))
  if (new Set(ders).size < ders.length) throw refusal('ERR_BUNDLE_TWICE', 'an authority twice')
  return authorities
}

function readJwtKeys(entries: readonly Entry[]): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>()
  for (const entry of entries) {
    const key = parseJwk(entry)
    const { kid } = entry
    if (key === undefined) continue
    if (typeof kid !== 'string' || kid === '') throw refusal('ERR_BUNDLE_KEY_ID', 'no key id')
    if (keys.has(kid)) throw refusal('ERR_BUNDLE_TWICE', `key id twice: ${quote(kid)}`)
    keys.set(kid, key)
  }
  return keys
}

/** The inverse of readBundle. */
export function encodeBundle({ sequence, refreshHintSeconds, authorities, jwtKeys }: Bundle) {
  return {
    keys: [
      ...authorities.map(({ openssl, der }) => ({
        use: 'x509-svid',
        ...formatJwk(openssl.publicKey),
        x5c: [der.toString('base64')],
      })),
      ...[...jwtKeys].map(([kid, key]) => ({ use: 'jwt-svid', kid, ...formatJwk(key) })),
    ],
    ...(sequence !== undefined && { spiffe_sequence: sequence }),
    spiffe_refresh_hint: refreshHintSeconds,
  }
}

export function formatBundle(bundle: Bundle): string {
  return `${JSON.stringify(encodeBundle(bundle), undefined, 2)}\n`
}

/** Refuses a trust domain that is not known here. */
export function requireBundle(bundles: BundleMap, domain: TrustDomain): Bundle {
  const bundle = bundles.get(domain)
  if (bundle === undefined)
    throw new Refusal('ERR_BUNDLE_UNKNOWN', `no bundle of trust domain ${quote(domain)}`)
  return bundle
}

const illegal = (what: string) => refusal('ERR_BUNDLE_ILLEGAL', what)
const refusal = (code: RefusalCode, what: string) =>
  new Refusal(code, `illegal trust bundle: ${what}`)
