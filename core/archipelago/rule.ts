import * as z from 'zod'
import type { Problem } from './problem.ts'

export const mapOf = <T extends z.ZodType>(value: T) => z.record(z.string(), value)

/** A rule asks only for what it reads: where that much is not right, it has nothing to say. */
export function rule<T extends z.ZodType>(needs: T, check: (source: z.output<T>) => Problem[]) {
  return (source: unknown): Problem[] => {
    const read = needs.safeParse(source)
    return read.success ? check(read.data) : []
  }
}

export function at(path: readonly PropertyKey[], message: string): Problem {
  return { path, at: 'value', message }
}
