// One consequence of an edit of archipelago.yaml.

export const planEffects = [
  'impossible',
  'resign',
  'disconnect',
  'next-renewal',
  'next-start',
  'stop',
  'start',
  'reload',
  'restart',
] as const

export type PlanEffect = (typeof planEffects)[number]

export interface PlanLine {
  readonly effect: PlanEffect
  /** Accounts, scopes or processes that it happens to, for the same reason. */
  readonly subjects: readonly string[]
  readonly reason: string
  /** Something is withdrawn that does not come back by itself: somebody has to agree. */
  readonly asks?: true
}

/** Lines of the same effect and reason become one; the first of each keeps its place. */
export function joinLines(lines: readonly PlanLine[]): PlanLine[] {
  const joined = new Map<string, PlanLine>()
  for (const line of lines) {
    const key = JSON.stringify([line.effect, line.reason, line.asks])
    const subjects = [...(joined.get(key)?.subjects ?? []), ...line.subjects]
    joined.set(key, { ...line, subjects })
  }
  return [...joined.values()]
}
