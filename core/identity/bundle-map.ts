// The bundles of several trust domains in one document: `{ "trust_domains": { "<name>": <bundle> } }`.
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { thisClock } from '../time.ts'
import { encodeBundle, readBundle, type Bundle, type BundleMap } from './bundle.ts'
import type { Certificate } from './certificate.ts'
import { verifyChain } from './chain.ts'
import { parseUniqueJson } from './json.ts'
import { formatSpiffeId, parseTrustDomain, type TrustDomain } from './spiffe-id.ts'

const textMax = 8 * 1024 * 1024

/** All of it or nothing: one broken bundle refuses the map, so that no half of it is ever in force. */
export function parseBundleMap(text: string): BundleMap {
  if (text.length > textMax) throw illegal(`over ${textMax} characters`)
  const value = parseUniqueJson(text, { what: 'bundle map', code: 'ERR_BUNDLE_MAP_ILLEGAL' })
  const domains = isObject(value) ? value['trust_domains'] : undefined
  if (!isObject(domains)) throw illegal('no trust_domains')
  return new Map(Object.entries(domains).map(([name, bundle]) => readEntry(name, bundle)))
}

function readEntry(name: string, value: unknown): [TrustDomain, Bundle] {
  try {
    return [parseTrustDomain(name), readBundle(value)]
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new Refusal(cause.code, `bundle of ${quote(name)}: ${cause.message}`, { cause })
  }
}

export function formatBundleMap(bundles: BundleMap): string {
  const entries = [...bundles].map(([domain, bundle]) => [domain, encodeBundle(bundle)] as const)
  return `${JSON.stringify({ trust_domains: Object.fromEntries(entries) }, undefined, 2)}\n`
}

/**
 * Refuses a map that takes any trust domain back: to a lower sequence, or to other content under the
 * same one. A trust domain may come and go.
 */
export function requireForward(before: BundleMap, after: BundleMap): void {
  for (const [domain, bundle] of after) {
    const known = before.get(domain)
    if (known === undefined) continue
    const [from, to] = [known.sequence ?? -1, bundle.sequence ?? -1]
    if (to < from)
      throw new Refusal('ERR_BUNDLE_OLDER', `bundle of ${domain}: sequence ${to} after ${from}`)
    if (to === from && encode(known) !== encode(bundle))
      throw new Refusal('ERR_BUNDLE_CHANGED', `bundle of ${domain}: two with sequence ${to}`)
  }
}

/** A sequence counts from the time; somebody's clock may be ahead of this one. */
const aheadSecondsMax = 24 * 3600

export const isAhead = ({ sequence = 0 }: Bundle, nowMs: number): boolean =>
  sequence > nowMs / 1000 + aheadSecondsMax

/** Refuses a sequence of a time to come: who takes it takes no withdrawal after it. */
export function requireNoneAhead(bundles: BundleMap, nowMs: number): void {
  for (const [domain, bundle] of bundles)
    if (isAhead(bundle, nowMs))
      throw new Refusal(
        'ERR_BUNDLE_AHEAD',
        `bundle of ${domain}: sequence ${bundle.sequence} is of a time to come, ${thisClock(nowMs)}`,
      )
}

/** Keys of the authorities that a newer map has left out of trust domains which it knows. */
export function goneKeys(before: BundleMap, after: BundleMap): string[] {
  return [...after].flatMap(([domain, bundle]) => {
    const left = new Set(keysOf(bundle))
    return keysOf(before.get(domain)).filter((key) => !left.has(key))
  })
}

/** Refuses a map that brings one back, for a region's next authority has a new key. */
export function requireNoneOf(gone: ReadonlySet<string>, bundles: BundleMap): void {
  for (const [domain, bundle] of bundles)
    if (keysOf(bundle).some((key) => gone.has(key)))
      throw new Refusal('ERR_BUNDLE_OLDER', `bundle of ${domain}: an authority that had gone`)
}

/** Not the certificates: each has a second signature that anybody can write (ECDSA). */
const keysOf = (bundle: Bundle | undefined) =>
  (bundle?.authorities ?? []).map(({ spki }) => spki.toString('base64'))

/** Refuses a map with an authority that no root signed, or that may name more than its own trust domain. */
export function requireRooted(bundles: BundleMap, roots: readonly Certificate[]): void {
  for (const [domain, { authorities }] of bundles)
    for (const authority of authorities) {
      const { names, nameConstraints, notBeforeMs: nowMs } = authority
      // Whether it is valid now is asked of each chain.
      verifyChain([authority], roots, { nowMs, purposes: [] })
      const isOwn = names.uris.join() === formatSpiffeId(domain)
      if (!isOwn || nameConstraints?.permitted.uris.join() !== domain)
        throw new Refusal('ERR_AUTHORITY_CONSTRAINTS', `authority is not of ${domain} alone`)
    }
}

const encode = (bundle: Bundle) => JSON.stringify(encodeBundle(bundle))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const illegal = (what: string) =>
  new Refusal('ERR_BUNDLE_MAP_ILLEGAL', `illegal bundle map: ${what}`)
