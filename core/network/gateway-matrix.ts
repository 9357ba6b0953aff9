// Which region's servers see which region, at a glance.
import {
  routeFindings,
  type ExpectedNetwork,
  type ExpectedRegion,
  type ObservedServer,
} from './topology.ts'

/** A row for each region, a cell for each region that it sees: how many of its servers have a gateway there. */
export interface MatrixCell {
  readonly from: string
  readonly to: string
  readonly connected: number
  readonly servers: number
  /** The median; undefined where nothing is connected. */
  readonly rttMs: number | undefined
}

/** The diagonal counts the servers whose routes reach every peer. */
export function gatewayMatrix(
  { regions }: ExpectedNetwork,
  observed: readonly ObservedServer[],
): MatrixCell[][] {
  return regions.map((from) => {
    const servers = observed.filter(({ name }) => from.servers.includes(name))
    return regions.map((to) =>
      from === to ? routeCell(from, servers) : gatewayCell(from, to, servers),
    )
  })
}

function routeCell(region: ExpectedRegion, servers: readonly ObservedServer[]): MatrixCell {
  const whole = servers.filter((server) => routeFindings(server, region).length === 0)
  return cell(region, region, whole.length, [])
}

function gatewayCell(
  from: ExpectedRegion,
  to: ExpectedRegion,
  servers: readonly ObservedServer[],
): MatrixCell {
  const gateways = servers.flatMap(({ outboundGateways }) =>
    outboundGateways.filter(({ region }) => region === to.name),
  )
  return cell(
    from,
    to,
    gateways.length,
    gateways.map(({ rttMs }) => rttMs),
  )
}

function cell(
  from: ExpectedRegion,
  to: ExpectedRegion,
  connected: number,
  rtts: readonly number[],
): MatrixCell {
  const rttMs = rtts.toSorted((a, b) => a - b)[Math.floor(rtts.length / 2)]
  return { from: from.name, to: to.name, connected, servers: from.servers.length, rttMs }
}
