/** One thing that is measured, under a name by which it can be asked for. */
export interface Row {
  readonly name: string
  readonly what: string
  /** Measured only when it is asked for: it takes minutes, or needs root. */
  readonly isByName?: true
  /** Refuses when something else than what was to be measured happened. */
  measure(bench: Bench): Promise<Figure[]>
}

export interface Bench {
  readonly natsServer: string
  /** So many rounds, or with --quick two. */
  rounds(usual: number): number
  /** So long, or with --quick a tenth of it. */
  duration(usualMs: number): number
  /** Where function processes write a CPU profile. */
  readonly profile: string | undefined
  readonly report: (line: string) => void
}

export type Unit = '/s' | 'ms' | 'MB' | '×'

/** One number of a row: samples of the same thing under the same conditions. */
export interface Figure {
  readonly what: string
  readonly unit: Unit
  readonly samples: readonly number[]
  readonly target?: Target
  /** What was seen beside it. */
  readonly note?: string
}

export type Target = { readonly atLeast: number } | { readonly atMost: number }

export function isMet(target: Target, value: number): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
}
