// What a process of a network in which names resolve runs: as in a cluster, but for where it is bound.
import { randomBytes } from 'node:crypto'
import type { Configuration } from '../../../core/network/configuration.ts'
import type { RegionPlace, ServerPlace } from '../../../core/network/endpoint.ts'
import { configureLeafnode } from '../../../core/network/leafnode.ts'
import { configureServer, type NetworkTrust } from '../../../core/network/server.ts'
import { nkeyPairFrom } from '../../../core/trust/nkey.ts'
import { readAnchors } from '../../../laptop/identity/anchors.ts'
import { identityPaths, leafnodePaths, publicPaths, serverPaths } from '../../../laptop/layout.ts'
import { makePrivateFolder } from '../../../store/files.ts'
import type { AuthorityStore } from '../../../store/root.ts'

export interface Source {
  readonly store: AuthorityStore
  readonly regions: readonly RegionPlace[]
  readonly trust: NetworkTrust
  /** Without them routes and gateways compare names. */
  readonly pins?: ReadonlyMap<string, string>
}

export function configureProcess(source: Source, name: string): Configuration {
  const region = source.regions.find((each) => name.startsWith(`${each.name}-`)) as RegionPlace
  const server = region.servers.find((each) => each.name === name)
  return server === undefined ? leafnode(source, region) : configure(source, server)
}

function configure(source: Source, server: ServerPlace): Configuration {
  const { store, trust } = source
  const { data } = store.homes
  const identity = identityPaths(data, server)
  const { own, mesh } = anchorsOf(store, server.region)
  const { resolver: resolverDirectory } = serverPaths(data, server)
  makePrivateFolder(resolverDirectory)
  const tls = {
    clients: publicPaths(data, server),
    region: { ...identity, trusted: own },
    network: { ...identity, trusted: mesh },
  }
  const network = { ...source, connectionsMax: 100, trust }
  return configureServer(server, network, { tls, resolverDirectory })
}

/** Its function is nobody: here it is the link to the servers that counts. */
function leafnode({ store }: Source, region: RegionPlace): Configuration {
  const { data } = store.homes
  const place = region.leafnode
  const { publicKey } = nkeyPairFrom('user', randomBytes(32))
  const functions = [{ publicKey, publish: [], subscribe: [] }]
  const tls = { ...identityPaths(data, place), trusted: anchorsOf(store, region.name).own }
  const { credentials } = leafnodePaths(data, place)
  return configureLeafnode(place, { region, account: 'ACCESS', functions }, { tls, credentials })
}

/** Files of the authorities that a region's listeners trust. */
export function anchorsOf({ files, homes, archipelago }: AuthorityStore, region: string) {
  const found = readAnchors(files, homes, archipelago).get(region)
  if (found === undefined) throw new RangeError(`no region ${region}`)
  return { own: found.own.path, mesh: found.mesh.path }
}
