import type * as z from 'zod'
import { type Problem, show } from './problem.ts'
import { archipelagoSchema } from './schema.ts'

/** The value by the schema, with what the schema found wrong in the project's words. */
export function checkShape(source: unknown) {
  const { data, error } = archipelagoSchema.safeParse(source, { error: inOurWords })
  return { data, problems: (error?.issues ?? []).flatMap(toProblems) }
}

const nouns: Record<string, string> = { object: 'map', record: 'map', array: 'list' }

function inOurWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'missing'
  if (issue.code !== 'invalid_type') return undefined
  return `must be a ${nouns[issue.expected] ?? issue.expected}: ${show(issue.input)}`
}

function toProblems(issue: z.core.$ZodIssue): Problem[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: 'unknown key' }))
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ path, at: 'key', message }))
  }
  return [{ path, at: 'value', message: issue.message }]
}
