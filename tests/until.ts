import { setTimeout as delay } from 'node:timers/promises'

const pauseMs = 25

/** Polls until the answer is truthy; the deadline is for a hang, and its message names what was waited for. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = 30_000 }: { deadlineMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const seen = await look()
    if (seen) return seen
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await delay(pauseMs)
  }
}
