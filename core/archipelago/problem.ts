import { quote } from '../quote.ts'

/** One thing wrong with archipelago.yaml, and where: a path of keys and indexes, its key or its value. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly at: 'key' | 'value'
  readonly message: string
}

/** A value as a refusal shows it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `${value as number | boolean}`
}
