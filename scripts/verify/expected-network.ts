// What `verify-supercluster` expects. Servers are named `<region>-<number>`, their leafnode server
// `<region>-leafnode`.
import { Refusal } from '../../core/errors.ts'
import type { RegionPlace } from '../../core/network/endpoint.ts'
import type { ExpectedNetwork } from '../../core/network/topology.ts'
import { readDigests } from './read-digests.ts'

export interface ExpectedOptions {
  readonly regions?: string | undefined
  readonly serversPerRegion: string
  readonly leafnodes: boolean
  readonly expect?: string | undefined
}

/** The regions that are named, or else those of the local network. */
export function expectedNetwork(
  options: ExpectedOptions,
  local: () => readonly RegionPlace[],
): ExpectedNetwork {
  const { regions: names, expect } = options
  const regions = names === undefined ? placed(local(), options) : named(names, options)
  if (expect === undefined) return { regions }
  const servers = regions.flatMap((region) => region.servers)
  return { regions, digests: readDigests(expect, servers) }
}

type Regions = ExpectedNetwork['regions']

function placed(regions: readonly RegionPlace[], options: ExpectedOptions): Regions {
  return regions.map(({ name, servers, isCut }) => ({
    name,
    servers: servers.map((server) => server.name),
    leafnodes: isCut === true ? [] : leafnodesOf(name, options),
  }))
}

function named(names: string, options: ExpectedOptions): Regions {
  const count = Number(options.serversPerRegion)
  if (!Number.isSafeInteger(count) || count < 1) {
    const what = `--servers-per-region is a number from 1: '${options.serversPerRegion}'`
    throw new Refusal('ERR_OPTION_ILLEGAL', what)
  }
  return names.split(',').map((name) => ({
    name,
    servers: Array.from({ length: count }, (_, index) => `${name}-${index}`),
    leafnodes: leafnodesOf(name, options),
  }))
}

const leafnodesOf = (name: string, { leafnodes }: ExpectedOptions) =>
  leafnodes ? [`${name}-leafnode`] : []
