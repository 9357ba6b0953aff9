// What the operator may write into a role's ceiling. The rest (answers, renewal) the software adds.
import {
  filtersOverlap,
  isSubjectFilter,
  parseSubjectFilter,
  widenSubscribe,
} from '../network/subject.ts'
import { show } from './problem.ts'

export type Direction = 'publish' | 'subscribe'

const ownTemplate = '{{subject()}}'
const requests = ['chat.req', 'token.exchange'].map((prefix) => ({
  prefix,
  filter: parseSubjectFilter(`${prefix}.>`),
}))

/** The rule that a subject of a role breaks, or undefined. */
export function permissionProblem(direction: Direction, text: string): string | undefined {
  const rule = brokenRule(direction, text)
  return rule && `${rule}: ${show(text)}`
}

function brokenRule(direction: Direction, text: string): string | undefined {
  if (text.split('.').some((token) => /\{\{|\}\}/.test(token) && token !== ownTemplate)) {
    return `only ${ownTemplate} is safe, as a whole token: names and tags are chosen by whoever holds the signing key`
  }
  if (!isSubjectFilter(text))
    return 'illegal subject (tokens between dots, * for one, > at the end)'
  if (/^[*>]/.test(text)) return 'a wildcard may not be the first token'
  if (/^[$_]/.test(text)) return 'subjects that begin with $ or _ belong to NATS'
  const reach = direction === 'subscribe' ? widenSubscribe(text) : text
  const met = requests.find(({ filter }) => filtersOverlap(reach, filter))
  if (met === undefined) return undefined
  const why = reach === text ? '' : ` (nats-server lets its subscribers take ${reach})`
  return `permissions under ${met.prefix} are added by the software${why}`
}
