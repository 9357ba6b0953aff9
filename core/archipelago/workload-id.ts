import { Refusal } from '../errors.ts'
import { parseSpiffeId, parseTrustDomain, pathOf } from '../identity/spiffe-id.ts'

/** A SPIFFE ID that somebody can have: with a path. */
export function isWorkloadId(text: string): boolean {
  return isParsed(() => pathOf(parseSpiffeId(text)) !== '')
}

/** A trust domain, written as the SPIFFE ID of itself. */
export function isTrustDomainId(text: string): boolean {
  const [, domain = ''] = /^spiffe:\/\/(.*)$/.exec(text) ?? []
  return isParsed(() => parseTrustDomain(domain) === domain)
}

function isParsed(parse: () => boolean): boolean {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}
