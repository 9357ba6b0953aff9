// What others were measured to do, to stand beside our own figures. Literals, since most of them are
// programs that this repository neither holds nor starts.

export interface Peer {
  readonly row: string
  readonly who: string
  readonly what: string
  readonly value: number
  readonly unit: '/s' | 'ms' | 'MB'
  readonly source: keyof typeof sources
}

export const sources = {
  tutorial:
    'the Go program of github.com/wallyqs/kubecon2020 (server-made keys, no proof, no seal, no TLS) and Node programs in its place; two busy cores, nats-server 2.15.2, Node 20',
  loopback: 'two cores, loopback, nats-server 2.9.10 to 2.15.2, Node 20',
} as const

const go = 'Go, the tutorial'
const jwtPackage = 'Node, @nats-io/jwt'
const nodeCrypto = 'Node, node:crypto, no framework'

export const peers: readonly Peer[] = [
  peer('issuance', jwtPackage, 'encodeUser and fmtCreds', 34, '/s', 'loopback'),
  peer('issuance', nodeCrypto, 'key, JWT and creds', 18_500, '/s', 'loopback'),
  peer('throughput', go, '64 in flight', 5_379, '/s', 'tutorial'),
  peer('throughput', go, 'latency at 64 in flight', 12, 'ms', 'tutorial'),
  peer('throughput', go, 'memory', 13, 'MB', 'tutorial'),
  peer('throughput', jwtPackage, '64 in flight', 26, '/s', 'tutorial'),
  peer('throughput', jwtPackage, 'latency at 64 in flight', 2_300, 'ms', 'tutorial'),
  peer('throughput', jwtPackage, 'memory', 97, 'MB', 'tutorial'),
  peer('throughput', nodeCrypto, '64 in flight', 6_734, '/s', 'tutorial'),
  peer('throughput', nodeCrypto, 'latency at 64 in flight', 8.48, 'ms', 'tutorial'),
  peer('throughput', nodeCrypto, 'memory', 96, 'MB', 'tutorial'),
  peer('latency', go, 'one in flight', 0.27, 'ms', 'tutorial'),
  peer('latency', nodeCrypto, 'one in flight', 0.36, 'ms', 'tutorial'),
  peer('bootstrap', 'nsc', 'operator, accounts and users', 348, 'ms', 'tutorial'),
  peer('start', 'nine bare nats-servers', 'until meshed', 1_100, 'ms', 'loopback'),
  peer('revocation', 'account push', 'until cut in all regions', 5, 'ms', 'loopback'),
]

function peer(
  row: string,
  who: string,
  what: string,
  ...[value, unit, source]: [number, Peer['unit'], Peer['source']]
): Peer {
  return { row, who, what, value, unit, source }
}
