import type { MatrixCell } from './gateway-matrix.ts'
import type { ExpectedNetwork, Finding, ObservedServer } from './topology.ts'
import { gatewayMatrix } from './gateway-matrix.ts'

/** For people: who answers, the matrix of gateways, the leafnodes. */
export function formatTopology(
  expected: ExpectedNetwork,
  observed: readonly ObservedServer[],
): string[] {
  const names = expected.regions.flatMap(({ servers }) => servers)
  const there = observed.filter(({ name }) => names.includes(name))
  const versions = [...new Set(there.map(({ version }) => version))].toSorted()
  return [
    `${there.length} of ${names.length} servers answer, nats-server ${versions.join(', ')}`,
    ...formatMatrix(gatewayMatrix(expected, observed)),
    ...formatLeafnodes(expected, observed),
  ]
}

/** One line for each finding, its code first. */
export function formatFindings(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ code }) => code.length))
  return findings.map(({ code, message }) => `✘ ${code.padEnd(width)}  ${message}`)
}

function formatMatrix(matrix: readonly (readonly MatrixCell[])[]): string[] {
  const head = ['', ...(matrix[0] ?? []).map(({ to }) => `to ${to}`)]
  const rows = matrix.map((row) => [`from ${row[0]?.from}`, ...row.map(formatCell)])
  return alignColumns([head, ...rows])
}

function formatCell({ from, to, connected, servers, rttMs }: MatrixCell): string {
  const count = `${connected}/${servers}`
  if (from === to) return `${count} routed`
  return rttMs === undefined ? count : `${count} ${rttMs.toFixed(1)} ms`
}

function formatLeafnodes(
  { regions }: ExpectedNetwork,
  observed: readonly ObservedServer[],
): string[] {
  return regions.flatMap(({ leafnodes }) =>
    leafnodes.map((leafnode) => {
      const hubs = observed.filter((server) => server.leafnodes.includes(leafnode))
      const at = hubs.map(({ name }) => name).join(', ')
      return `${leafnode}: ${at === '' ? 'not connected' : `connected to ${at}`}`
    }),
  )
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
