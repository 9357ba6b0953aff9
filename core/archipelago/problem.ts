/** One thing wrong with archipelago.yaml, and where: a path of keys and indexes, its key or its value. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly at: 'key' | 'value'
  readonly message: string
}

const shownCharactersMax = 80

/** A value as a refusal shows it: on one line, in printable characters, not too long. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a map'
  if (typeof value !== 'string') return value === null ? 'nothing' : String(value)
  const short = value.length > shownCharactersMax ? `${value.slice(0, shownCharactersMax)}…` : value
  return `'${short.replaceAll(/\p{C}/gu, (character) => JSON.stringify(character).slice(1, -1))}'`
}
