// What the operator may write into a role's ceiling. The rest (answers, renewal) the software adds.
import { filtersOverlap, isSubjectFilter, widenSubscribe } from '../network/subject.ts'
import { parseSubjectFilter } from '../network/subject.ts'
import { show } from './problem.ts'

export type Direction = 'publish' | 'subscribe'

const requests = parseSubjectFilter('chat.req.>')

/** The rule that a subject of a role breaks, or undefined. */
export function permissionProblem(direction: Direction, text: string): string | undefined {
  const template = text.split('.').find((token) => /\{\{|\}\}/.test(token))
  if (template !== undefined && template !== '{{subject()}}') {
    return `the only template is the whole token {{subject()}}, for whoever holds the signing key chooses names and tags: ${show(text)}`
  }
  if (!isSubjectFilter(text)) return `illegal subject: ${show(text)}`
  if (/^[*>]/.test(text))
    return `a subject begins with a token of its own, not with a wildcard: ${show(text)}`
  if (/^[$_]/.test(text)) return `subjects that begin with $ or _ belong to NATS: ${show(text)}`
  const reach = direction === 'subscribe' ? widenSubscribe(text) : text
  if (!filtersOverlap(reach, requests)) return undefined
  const why = reach === text ? '' : `, and a subscriber to ${text} may take ${reach}`
  return `subjects under chat.req are added by the software${why}: ${show(text)}`
}
