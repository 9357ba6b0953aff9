// How long certificates live, and when they are replaced.
import type { Certificate } from './certificate.ts'

const daySeconds = 24 * 3600

export const rootSeconds = 10 * 365 * daySeconds
export const intermediateSeconds = 90 * daySeconds
const intermediateLeftMs = 30 * daySeconds * 1000

/**
 * An hour is the aim, and needs leaves that are renewed while their servers run. Until then a network
 * that runs must not outlive them: made anew at every start from half of this on, they are good for 15
 * days of running at least. An intermediate has more than 30 days left, so none is cut short by it.
 */
export const leafSeconds = 30 * daySeconds

type Life = Pick<Certificate, 'notBeforeMs' | 'notAfterMs'>

/** When this share of its life is over. */
function renewAtMs({ notBeforeMs, notAfterMs }: Life, share = 0.5): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * share
}

export const isLeafDue = (leaf: Life, nowMs: number): boolean => nowMs >= renewAtMs(leaf)

export const isIntermediateDue = ({ notAfterMs }: Life, nowMs: number): boolean =>
  notAfterMs - nowMs <= intermediateLeftMs

export const isOver = ({ notAfterMs }: Life, nowMs: number): boolean => notAfterMs <= nowMs
