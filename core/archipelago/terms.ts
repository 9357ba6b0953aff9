// The kinds of value that archipelago.yaml is written in, each with its rule in words.
import * as z from 'zod'
import { durationPattern, parseDuration } from '../duration.ts'
import { show } from './problem.ts'

/** Says in words what is wrong with an input; nothing of a missing one, which is told elsewhere. */
export interface Rule {
  readonly error: (issue: { readonly input?: unknown }) => string | undefined
}

/** `<rule>: <value> (<hint>)`. */
export function broken(rule: string, hint?: string): Rule {
  const end = hint === undefined ? '' : ` (${hint})`
  return {
    error: ({ input }) => (input === undefined ? undefined : `${rule}: ${show(input)}${end}`),
  }
}

export function text(pattern: RegExp, rule: Rule) {
  return z.string(rule).regex(pattern, { ...rule, abort: true })
}

export function whole(min: number, max: number) {
  const rule = broken(`must be a whole number from ${min} to ${max}`)
  return z.int(rule).min(min, rule).max(max, rule)
}

/** `30s`, `15m`, `1h`, `7d`, parsed to seconds; `what` is said with the bounds in the schema. */
export function duration(what: string, min: string, max: string) {
  const rule = broken('illegal duration', `from ${min} to ${max}, such as 30s, 15m, 1h or 7d`)
  const [least, most] = [parseDuration(min), parseDuration(max)]
  const isWithin = (seconds: number) => seconds >= least && seconds <= most
  return text(durationPattern, rule)
    .refine((value) => isWithin(parseDuration(value)), rule)
    .transform(parseDuration)
    .describe(`${what}, from ${min} to ${max} (30s, 15m, 1h, 7d).`)
}

interface Bounds {
  readonly min: number
  readonly max: number
}

/** A map from names to things, of a bounded size. */
export function namedMap<T extends z.ZodType>(
  key: z.ZodType<string, string>,
  value: T,
  { min, max }: Bounds,
) {
  return z
    .record(key, value)
    .superRefine(refuseSize({ min, max }))
    .meta({ minProperties: min, maxProperties: max })
}

/** A list without repetition, of a bounded length. */
export function list<T extends z.ZodType>(item: T, { min, max }: Bounds) {
  return z
    .array(item)
    .superRefine(refuseSize({ min, max }))
    .superRefine(refuseRepetition)
    .meta({ minItems: min, maxItems: max, uniqueItems: true })
}

function refuseSize({ min, max }: Bounds) {
  return (collection: object, context: z.RefinementCtx): void => {
    const size = Object.keys(collection).length
    if (size >= min && size <= max) return
    context.addIssue({ code: 'custom', message: `must hold ${min} to ${max} entries: ${size}` })
  }
}

function refuseRepetition(items: readonly unknown[], context: z.RefinementCtx): void {
  const seen = new Set<unknown>()
  for (const [at, item] of items.entries()) {
    if (seen.has(item)) {
      context.addIssue({ code: 'custom', path: [at], message: `listed twice: ${show(item)}` })
    }
    seen.add(item)
  }
}
