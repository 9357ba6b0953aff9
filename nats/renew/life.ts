/** Two clocks: one stands still while a laptop sleeps, the other is set by hand. */
export interface Clock {
  readonly monotonicMs: () => number
  readonly wallMs: () => number
}
export interface Life {
  readonly lengthMs: number
  elapsedMs(): number
  /** A server says that it is over, by its own clock. */
  end(): void
}

export const systemClock: Clock = { monotonicMs: () => performance.now(), wallMs: Date.now }

/**
 * The life of a JWT, `exp - iat` long, from `iat` on; by whichever clock more of it is over. `iat` is
 * the requestor's own time, so a clock that is wrong all the time is wrong on both sides, and cancels.
 */
export function startLife({ iat, exp }: { iat: number; exp?: number }, clock: Clock): Life {
  const startMs = iat * 1000
  const ageMs = Math.max(0, clock.wallMs() - startMs)
  const receivedMs = clock.monotonicMs()
  let isEnded = false
  return {
    lengthMs: exp === undefined ? Infinity : (exp - iat) * 1000,
    elapsedMs: () =>
      isEnded
        ? Infinity
        : Math.max(ageMs + clock.monotonicMs() - receivedMs, clock.wallMs() - startMs),
    end: () => void (isEnded = true),
  }
}

/** Below 0 when it is over. */
export function remainingMs({ lengthMs, elapsedMs }: Life): number {
  return lengthMs - elapsedMs()
}
