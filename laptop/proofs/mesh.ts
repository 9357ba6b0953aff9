// Servers, routes, gateways and leafnodes, as the servers themselves report them.
import { gatewayMatrix, type MatrixCell } from '../../core/network/gateway-matrix.ts'
import type { ExpectedNetwork, ExpectedRegion } from '../../core/network/topology.ts'
import type { Supercluster } from '../supercluster.ts'
import type { Proof } from './proof.ts'

export function proveMesh({ regions, observed }: Supercluster): Proof[] {
  const expected: ExpectedNetwork = {
    regions: regions.map(({ name, servers, leafnode, isCut }) => ({
      name,
      servers: servers.map((server) => server.name),
      leafnodes: isCut === true ? [] : [leafnode.name],
    })),
  }
  const matrix = gatewayMatrix(expected, observed)
  return [
    ...matrix.map((row) => proveRow(row)),
    ...expected.regions.filter(hasLeafnode).map(({ name, leafnodes }) => {
      const seen = observed
        .filter(({ cluster }) => cluster === name)
        .flatMap((each) => each.leafnodes)
      const isProven = leafnodes.every((leafnode) => seen.includes(leafnode))
      return { what: `${name}: leafnode connected`, observed: seen.join(', ') || 'none', isProven }
    }),
  ]
}

const hasLeafnode = ({ leafnodes }: ExpectedRegion) => leafnodes.length > 0

/** The own region counts servers whose routes are whole, the others servers with a gateway there. */
function proveRow(row: readonly MatrixCell[]): Proof {
  const from = row[0]?.from ?? ''
  const observed = row
    .map(({ to, connected, servers }) => `${to} ${connected}/${servers}`)
    .join('  ')
  const isProven = row.every(({ connected, servers }) => connected === servers)
  return { what: `${from}: routes inside, gateways to the others`, observed, isProven }
}
