// The kinds of value that archipelago.yaml is written in, each with its rule in words.
import { z } from 'zod'
import { durationPattern, parseDuration } from '../duration.ts'
import { show } from './problem.ts'

/** `<rule>: <value> (<hint>)` for the value that breaks it; a missing one is told elsewhere. */
export function broken(rule: string, hint?: string) {
  const end = hint === undefined ? '' : ` (${hint})`
  return {
    error: ({ input }: { input?: unknown }) =>
      input === undefined ? undefined : `${rule}: ${show(input)}${end}`,
  }
}

export function text(pattern: RegExp, rule: { error: ReturnType<typeof broken>['error'] }) {
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

/** A map from names to things, of a bounded size. */
export function namedMap<T extends z.ZodType>(
  key: z.ZodType<string, string>,
  value: T,
  { min, max }: { min: number; max: number },
) {
  const sizeOf = (map: unknown) => Object.keys(map as object).length
  const rule = {
    error: ({ input }: { input?: unknown }) => `${bounds(min, max)}: ${sizeOf(input)}`,
  }
  return z
    .record(key, value)
    .refine((map) => sizeOf(map) >= min && sizeOf(map) <= max, rule)
    .meta({ minProperties: min, maxProperties: max })
}

/** A list without repetition, of a bounded length. */
export function list<T extends z.ZodType>(item: T, { min, max }: { min: number; max: number }) {
  const rule = {
    error: ({ input }: { input?: unknown }) =>
      Array.isArray(input) ? `${bounds(min, max)}: ${input.length}` : undefined,
  }
  return z
    .array(item)
    .min(min, rule)
    .max(max, rule)
    .superRefine(refuseRepetition)
    .meta({ uniqueItems: true })
}

const bounds = (min: number, max: number) => `must hold ${min} to ${max} entries`

function refuseRepetition(items: readonly unknown[], context: z.RefinementCtx): void {
  const seen = new Set<unknown>()
  for (const [at, item] of items.entries()) {
    if (seen.has(item)) {
      context.addIssue({ code: 'custom', path: [at], message: `listed twice: ${show(item)}` })
    }
    seen.add(item)
  }
}
