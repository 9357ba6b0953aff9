// How long certificates live, and when they are replaced.
import { skewMs } from './chain.ts'
import type { Certificate } from './certificate.ts'

const daySeconds = 24 * 3600

export const rootSeconds = 10 * 365 * daySeconds
export const intermediateSeconds = 90 * daySeconds
const intermediateLeftMs = 30 * daySeconds * 1000

export type Life = Pick<Certificate, 'notBeforeMs' | 'notAfterMs'>

const half = 0.5
/** Of the half-life, to either side. */
const jitterShare = 0.1

/** When it was issued, for what is ours is backdated by the skew. */
export const issuedAtMs = ({ notBeforeMs, notAfterMs }: Life): number =>
  Math.min(notBeforeMs + skewMs, notAfterMs)

/** `random`, from 0 to 1, spreads what was issued together around the middle of its life. */
export function renewAtMs(life: Life, random = half): number {
  const issuedMs = issuedAtMs(life)
  const share = half * (1 + jitterShare * (2 * random - 1))
  return issuedMs + (life.notAfterMs - issuedMs) * share
}

/** Also where it begins in the future: this clock was ahead when it was issued, and peers refuse it. */
export const isLeafDue = (leaf: Life, nowMs: number, random = half): boolean =>
  nowMs >= renewAtMs(leaf, random) || nowMs < leaf.notBeforeMs

const retryMsMin = 1_000
const retryMsMax = 60_000

/** Full jitter: from nothing to a bound that doubles with each failure, and is never over `lifeMs`/16. */
export function retryMs(failures: number, { random, lifeMs }: { random: number; lifeMs: number }) {
  const bound = Math.min(retryMsMin * 2 ** failures, retryMsMax, lifeMs / 16)
  return bound * random
}

export const isIntermediateDue = ({ notAfterMs }: Life, nowMs: number): boolean =>
  notAfterMs - nowMs <= intermediateLeftMs

export const isOver = ({ notAfterMs }: Life, nowMs: number): boolean => notAfterMs <= nowMs
