import type { Archipelago } from '../core/archipelago.ts'
import { type Configuration, formatConfiguration } from '../core/network/configuration.ts'
import type { RegionPlace } from '../core/network/endpoint.ts'
import { configureLeafnode, type FunctionUser } from '../core/network/leafnode.ts'
import { configureServer, type LogFile, type NetworkTrust } from '../core/network/server.ts'
import { leafnodePaths, serverPaths, tlsPaths } from './layout.ts'

export interface NetworkPlan {
  readonly archipelago: Archipelago
  readonly regions: readonly RegionPlace[]
  readonly trust: NetworkTrust
  readonly access: {
    /** The account in which functions answer. */
    readonly account: string
    /** By region: the processes that its leafnode server admits. */
    readonly functions: ReadonlyMap<string, readonly FunctionUser[]>
  }
  readonly pins: ReadonlyMap<string, string>
}

export interface PlannedConfiguration {
  readonly name: string
  readonly file: string
  readonly log: string
  readonly configuration: Configuration
}

/** What every nats-server of the machine is to run, region by region, a leafnode server after its servers. */
export function planConfigurations(data: string, plan: NetworkPlan): PlannedConfiguration[] {
  return plan.regions.flatMap((region) => [
    ...planServers(data, region, plan),
    planLeafnode(data, region, plan),
  ])
}

function planServers(data: string, region: RegionPlace, plan: NetworkPlan): PlannedConfiguration[] {
  const { archipelago, regions, trust, pins } = plan
  const network = { regions, connectionsMax: archipelago.server.connectionsMax, trust, pins }
  return region.servers.map((server) => {
    const { configuration, log, resolver } = serverPaths(data, server)
    const tls = tlsPaths(data, server)
    const files = { tls, resolverDirectory: resolver, log: logFile(log) }
    const content = configureServer(server, network, files)
    return { name: server.name, file: configuration, log, configuration: content }
  })
}

function planLeafnode(data: string, region: RegionPlace, plan: NetworkPlan): PlannedConfiguration {
  const { account, functions } = plan.access
  const { leafnode } = region
  const { configuration, log, credentials } = leafnodePaths(data, leafnode)
  const network = { region, account, functions: functions.get(region.name) ?? [], pins: plan.pins }
  const files = { tls: tlsPaths(data, leafnode), credentials, log: logFile(log) }
  const content = configureLeafnode(leafnode, network, files)
  return { name: leafnode.name, file: configuration, log, configuration: content }
}

const logFile = (file: string): LogFile => ({ file, bytesMax: 4 * 1024 * 1024 })

export function formatPlanned({ name, configuration }: PlannedConfiguration): string {
  const comment = `nats-server ${name}, made from archipelago.yaml. What is changed here is lost at the next start.`
  return formatConfiguration(configuration, comment)
}
