import type { Proof } from './proofs/proof.ts'

/** The proofs as a table for people: what, how long, what was seen. */
export function formatProofs(proofs: readonly Proof[]): string {
  const whatWidth = Math.max(...proofs.map(({ what }) => what.length))
  const lines = proofs.map(({ what, observed, isProven, tookMs }) => {
    const took = tookMs === undefined ? '' : formatMs(tookMs)
    return `${isProven ? '✓' : '✗'} ${what.padEnd(whatWidth)}  ${took.padStart(9)}  ${observed}`
  })
  const failed = proofs.filter(({ isProven }) => !isProven).length
  const sum = `${proofs.length - failed} proved, ${failed} not`
  return [...lines, '', sum].join('\n')
}

export function formatMs(ms: number): string {
  return ms < 10
    ? `${ms.toFixed(2)} ms`
    : ms < 10_000
      ? `${Math.round(ms)} ms`
      : `${(ms / 1000).toFixed(1)} s`
}
