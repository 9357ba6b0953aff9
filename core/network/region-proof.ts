// What a region owes after a change: its own servers, routes and leafnodes, and no gateway that it had before.
// A peer that was out of reach before is named, and is nobody's fault here.
import { isVersionAtLeast, serverVersionMin } from './version.ts'

/** What a server's monitoring port says. */
export interface SeenServer {
  readonly name: string
  readonly version: string
  /** Names of servers to which it has a route. */
  readonly routes: readonly string[]
  /** Regions to which it has an outbound gateway. */
  readonly gateways: readonly string[]
  /** Names of leafnode servers. */
  readonly leafnodes: readonly string[]
}

export interface OwedRegion {
  readonly servers: readonly string[]
  readonly peers: readonly string[]
  /** How the names of its leafnode servers begin: one of each has to be connected. */
  readonly leafnodes: readonly string[]
}

/** By server: the regions to which it had a gateway. */
export type GatewaysBefore = Readonly<Record<string, readonly string[]>>

export interface RegionVerdict {
  /** What keeps the region from being as it should be; none means proven. */
  readonly broken: readonly string[]
  /** Peers out of reach, now as before. */
  readonly apart: readonly string[]
}

export function judgeRegion(
  owed: OwedRegion,
  seen: readonly SeenServer[],
  before: GatewaysBefore,
): RegionVerdict {
  const isUp = (peer: string) => seen.every(({ gateways }) => gateways.includes(peer))
  const wasUp = (peer: string) => Object.values(before).some((peers) => peers.includes(peer))
  return {
    broken: [
      ...owed.servers
        .filter((name) => !seen.some((server) => server.name === name))
        .map((name) => `${name}: no answer`),
      ...seen.flatMap((server) => serverFaults(server, owed)),
      ...seen.flatMap(({ name, gateways }) =>
        (before[name] ?? [])
          .filter((peer) => owed.peers.includes(peer) && !gateways.includes(peer))
          .map((peer) => `${name}: no gateway to ${peer} any more`),
      ),
      ...owed.leafnodes
        .filter((start) => !hasLeafnode(seen, start))
        .map((start) => `${start}: no leafnode is connected`),
    ],
    apart: owed.peers.filter((peer) => !isUp(peer) && !wasUp(peer)),
  }
}

function serverFaults({ name, version, routes }: SeenServer, { servers }: OwedRegion): string[] {
  const missing = servers.filter((peer) => peer !== name && !routes.includes(peer))
  return [
    ...(isVersionAtLeast(version, serverVersionMin)
      ? []
      : [`${name}: runs ${version}, at least ${serverVersionMin} is needed`]),
    ...missing.map((peer) => `${name}: no route to ${peer}`),
  ]
}

const hasLeafnode = (seen: readonly SeenServer[], start: string) =>
  seen.some(({ leafnodes }) => leafnodes.some((leafnode) => leafnode.startsWith(start)))

/** What is kept until after the change. */
export function gatewaysOf(seen: readonly SeenServer[]): GatewaysBefore {
  return Object.fromEntries(seen.map(({ name, gateways }) => [name, [...gateways].toSorted()]))
}
