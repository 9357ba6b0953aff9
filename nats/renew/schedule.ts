// When to try. Random numbers are of [0, 1): without them everybody who came together asks together.

/** How much of its life a credential may have behind it: a half, more or less by a tenth. */
export function dueMs(lengthMs: number, random: number): number {
  return (lengthMs / 2) * (0.9 + 0.2 * random)
}

const firstMs = 1_000
const longestMs = 60_000
const shortestMs = 250

/** Longer after every failure, and while there is life left, never so long that few tries remain. */
export function retryMs(failures: number, remainingMs: number, random: number): number {
  const growing = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 10))
  const most = remainingMs > 0 ? Math.max(shortestMs, remainingMs / 4) : longestMs
  return Math.min(growing, most) * (0.5 + 0.5 * random)
}
