// How people come to a region: from a place on the internet, by the URLs that the public lobby file has, whose
// names lead to the region's nodes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NetworkFile } from '../../../core/access/network-file.ts'
import type { Cluster } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'

export interface WayIn {
  /** The words that bring a program there. */
  readonly place: readonly string[]
  /** The first of its servers' URLs. */
  readonly server: string
  readonly ca: string
}

export function wayInto(lab: Lab, cluster: Cluster, lobby: string): WayIn {
  const { regions, ca } = JSON.parse(readFileSync(lobby, 'utf8')) as NetworkFile
  const [server] = regions.find(({ name }) => name === cluster.region)?.servers ?? []
  if (server === undefined) throw new RangeError(`${cluster.region} has no way in`)
  const addresses = cluster.nodes.map(({ address }) => address)
  return { place: lab.client.placed({ [new URL(server).hostname]: addresses }), server, ca }
}

export const lobbyOf = ({ public: folder }: { readonly public: string }): string =>
  join(folder, 'archipelago.lobby.json')
