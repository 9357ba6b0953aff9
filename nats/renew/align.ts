/** Since when the fresh connection listens, and when the old one stopped. */
export interface Overlap {
  readonly sinceMs: number
  readonly untilMs: number
}
export interface Alignment {
  /** Old ones, the first, that the fresh connection never hears. */
  readonly early: number
  /** Heard on both: after the early ones of the old connection, the first of the fresh one. */
  readonly both: number
}

/**
 * How two connections heard one and the same message, repeated: times of receipt, rising. The old one
 * was there first and left first, so what both heard is a run in the middle. Of all ways to lay one
 * list over the other this takes the one that asks for the least explaining, in milliseconds: by how
 * much the receipts of each message differ, for how long the fresh one heard nothing yet, and since
 * when before the end only one of them heard.
 */
export function align(
  old: readonly number[],
  fresh: readonly number[],
  { sinceMs, untilMs }: Overlap,
): Alignment {
  let best = { early: 0, both: 0, cost: Infinity }
  for (let early = 0; early <= old.length; early++) {
    const both = Math.min(old.length - early, fresh.length)
    let cost =
      Math.max(0, (old[early - 1] ?? sinceMs) - sinceMs) +
      Math.max(0, untilMs - (old[early + both] ?? untilMs)) +
      Math.max(0, untilMs - (fresh[both] ?? untilMs))
    for (let at = 0; at < both && cost < best.cost; at++)
      cost += Math.abs((old[early + at] as number) - (fresh[at] as number))
    if (cost < best.cost) best = { early, both, cost }
  }
  return { early: best.early, both: best.both }
}
