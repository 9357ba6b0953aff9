// What was measured, for people and for programs.
import type { Machine } from './machine.ts'
import { peers, sources, type Peer } from './peers.ts'
import { isMet, type Figure, type Row, type Target, type Unit } from './row.ts'
import { quantile } from './statistics.ts'

export interface Measured {
  readonly row: Row
  readonly figures: readonly Figure[]
  /** Why there are none. */
  readonly failure?: string
  /** Processes that wanted a core in the last minute, when the row was done. */
  readonly load: number
}

export function summarize({ row, figures, failure, load }: Measured) {
  return {
    row: row.name,
    what: row.what,
    load,
    ...(failure !== undefined && { failure }),
    figures: figures.map(summarizeFigure),
    peers: peers.filter((peer) => peer.row === row.name),
  }
}

function summarizeFigure({ what, unit, samples, target, note }: Figure) {
  const at = (share: number): number => quantile(samples, share)
  return {
    what,
    unit,
    median: at(0.5),
    p25: at(0.25),
    p75: at(0.75),
    ...(isLatency(unit, samples) && { p99: at(0.99) }),
    n: samples.length,
    ...(target && { target, isMet: isMet(target, at(0.5)) }),
    ...(note && { note }),
  }
}

/** With few samples the last hundredth is the greatest of them, and says nothing. */
function isLatency(unit: Unit, samples: readonly number[]): boolean {
  return unit === 'ms' && samples.length >= 200
}

export function formatMachine({ processor, cores, ...versions }: Machine): string {
  const { system, node, openssl, natsServer } = versions
  return `${cores} cores (${processor}), ${system}, Node ${node} (OpenSSL ${openssl}), nats-server ${natsServer}`
}

export function formatMeasured(measured: Measured): string {
  const { row, what, failure, figures, peers, load } = summarize(measured)
  const lines = [
    ...figures.map((figure) => formatFigure(figure)),
    ...peers.map((peer) => formatPeer(peer)),
  ]
  const failed = failure === undefined ? [] : [`  failed: ${failure}`]
  return [`${row}: ${what} (load ${load.toFixed(1)})`, ...failed, ...table(lines)].join('\n')
}

export function formatSources(measured: readonly Measured[]): string {
  const used = new Set(
    measured.flatMap((each) => summarize(each).peers.map(({ source }) => source)),
  )
  return [...used].map((source) => `[${source}] ${sources[source]}`).join('\n')
}

function formatFigure(figure: ReturnType<typeof summarizeFigure>): string[] {
  const { what, unit, median, p25, p75, p99, n, target, isMet: met, note = '' } = figure
  const spread = `${formatNumber(p25)}–${formatNumber(p75)}`
  const worst = p99 === undefined ? '' : `p99 ${formatNumber(p99)}`
  const wanted = target === undefined ? '' : `${met ? '✓' : '✗'} ${formatTarget(target)}`
  return [what, `${formatNumber(median)} ${unit}`, spread, worst, `n ${n}`, wanted, note]
}

function formatPeer({ who, what, value, unit, source }: Peer): string[] {
  return [`· ${who}: ${what}`, `${formatNumber(value)} ${unit}`, '', '', '', '', `[${source}]`]
}

function formatTarget(target: Target): string {
  return 'atLeast' in target
    ? `≥ ${formatNumber(target.atLeast)}`
    : `≤ ${formatNumber(target.atMost)}`
}

/** Three digits, and all of a whole number. */
function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}

function table(lines: readonly string[][]): string[] {
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  const pad = (cell: string, at: number): string =>
    at === 1 ? cell.padStart(widths?.[at] ?? 0) : cell.padEnd(widths?.[at] ?? 0)
  return lines.map((line) => `  ${line.map(pad).join('  ')}`.trimEnd())
}
