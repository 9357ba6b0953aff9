import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'

/** What one may subscribe to: tokens between dots, `*` for one token, `>` last for one or more. */
export type SubjectFilter = string & { readonly brand: 'SubjectFilter' }

const filterBytesMax = 255

/**
 * Refuses white space, control characters, empty tokens and a wildcard that is part of a token
 * (nats-server takes `a*` for a literal, which nobody means).
 */
export function parseSubjectFilter(text: string): SubjectFilter {
  if (!isSubjectFilter(text)) {
    throw new Refusal('ERR_SUBJECT_ILLEGAL', `illegal subject filter: ${quote(text)}`)
  }
  return text
}

export function isSubjectFilter(text: string): text is SubjectFilter {
  if (Buffer.byteLength(text) > filterBytesMax) return false
  const tokens = text.split('.')
  return tokens.every((token, at) => isFilterToken(token, at === tokens.length - 1))
}

function isFilterToken(token: string, isLast: boolean): boolean {
  if (token === '>') return isLast
  return token === '*' || /^[^\s\p{C}*>]+$/u.test(token)
}

/** Whether some subject is matched by both. */
export function filtersOverlap(a: SubjectFilter, b: SubjectFilter): boolean {
  const [left, right] = [a.split('.'), b.split('.')]
  for (let at = 0; ; at += 1) {
    const [one, other] = [left[at], right[at]]
    if (one === undefined || other === undefined) return one === other
    if (one === '>' || other === '>') return true
    if (one !== '*' && other !== '*' && one !== other) return false
  }
}

/**
 * What a subscribe permission opens in truth: nats-server matches the `>` of a subscription like
 * any token, so whoever may subscribe to `a.*` may subscribe to `a.>` (2.15.2).
 */
export function widenSubscribe(filter: SubjectFilter): SubjectFilter {
  return filter.endsWith('*') ? parseSubjectFilter(`${filter.slice(0, -1)}>`) : filter
}
