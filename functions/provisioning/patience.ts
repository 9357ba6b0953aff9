// How a function dials again. A leafnode server that restarts is back at once; whom TLS does not let
// through will be refused for a while, and that has to be known.
import type { Target } from '../../nats/connect.ts'

export interface Patience {
  readonly onHandshake: NonNullable<Target['onHandshake']>
  /** Until the next dial. */
  readonly delayMs: () => number
}

const shortMs = 100
const jitterMs = 250
const firstMs = 250
const longestMs = 10_000

/** Waits twice as long after each refusal, 10 s at most, until a handshake succeeds. */
export function openPatience(
  report: (line: string) => void,
  random: () => number = Math.random,
): Patience {
  let refusals = 0
  return {
    onHandshake(refusal) {
      refusals = refusal === undefined ? 0 : refusals + 1
      if (refusal === undefined || !isWorthALine(refusals)) return
      const count = refusals === 1 ? '' : ` (${refusals} times)`
      report(`alarm: no TLS with the leafnode server: ${refusal.message}${count}`)
    },
    delayMs() {
      if (refusals === 0) return shortMs + jitterMs * random()
      return Math.min(firstMs * 2 ** refusals, longestMs) * (0.5 + 0.5 * random())
    },
  }
}

/** The first, and then ever more seldom. */
const isWorthALine = (refusals: number) => Number.isInteger(Math.log2(refusals))
