/** The value below which this share of the samples lies, interpolated. A RangeError without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (below === undefined || above === undefined) throw new RangeError('no samples')
  return below + (above - below) * (at - Math.floor(at))
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

/** Sample by sample, for samples that were taken in pairs. */
export function ratios(samples: readonly number[], to: readonly number[]): number[] {
  return samples.map((sample, index) => sample / (to[index] ?? Number.NaN))
}
