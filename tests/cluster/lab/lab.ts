// Real Kubernetes clusters on this machine, one for each region, with a network between them that can
// be slow or cut. Needs root and Linux; installs nothing, and leaves nothing.
import { platform } from 'node:os'
import { regionAddresses } from './addresses.ts'
import { isUnifiedOnly } from './cgroups.ts'
import { cleanLab } from './clean.ts'
import { openClient, type Client } from './client.ts'
import { defineCluster, type Cluster } from './cluster.ts'
import { makeNodeImages, type Image } from './lab-images.ts'
import {
  cutRegion,
  joinRegion,
  makeInternet,
  makeRegionNetwork,
  type RegionNetwork,
} from './network.ts'
import { openPlace, type LabPlace } from './place.ts'
import type { ProcessId } from './process-id.ts'
import { abandonedRecords } from './record.ts'
import { openToolbox, type Toolbox } from './toolbox.ts'
import { openWan, type Wan } from './wan.ts'

export interface LabOptions {
  readonly regions: readonly string[]
  /** In each region. */
  readonly nodes: number
  /** For the pods under test; on every node. */
  readonly images?: readonly Image[]
  /** Hears what is done, a line each. */
  readonly report?: (line: string) => void
}

export interface Lab extends AsyncDisposable {
  readonly id: string
  readonly folder: string
  readonly toolbox: Toolbox
  /** A place on the internet, outside of every region. */
  readonly client: Client
  readonly clusters: readonly Cluster[]
  cluster(region: string): Cluster
  readonly wan: Wan
  /** The region's line to all others and to the client breaks. */
  cut(region: string): Promise<void>
  join(region: string): Promise<void>
  /** A process that ends with the lab. */
  keep(process: ProcessId): void
  /** Takes everything down; throws when something is left. */
  stop(): Promise<void>
}

/** What keeps a lab from running here, as a line for a person, or nothing. */
export function labObstacle(): string | undefined {
  if (platform() !== 'linux') return 'the lab needs Linux: its nodes are namespaces of its kernel'
  if (process.getuid?.() !== 0) return 'the lab needs root: it makes network namespaces and mounts'
  if (isUnifiedOnly()) {
    return 'the lab needs cgroups version 1: boot with systemd.unified_cgroup_hierarchy=0'
  }
  return undefined
}

/** Returns when every node is Ready and DNS answers. Also removes what a killed lab has left. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const obstacle = labObstacle()
  if (obstacle !== undefined) throw new Error(obstacle)
  for (const record of abandonedRecords()) await cleanLab(record)
  const place = openPlace()
  try {
    return await build(place, options)
  } catch (error) {
    await place.close()
    throw error
  }
}

async function build(place: LabPlace, options: LabOptions): Promise<Lab> {
  const report = timed(options.report ?? (() => {}))
  const toolbox = await openToolbox(place.folderOf('bin'), report)
  const images = [...(await makeNodeImages(toolbox)), ...(options.images ?? [])]
  const networks = options.regions.map((region, index) => ({
    region,
    nodes: options.nodes,
    addresses: regionAddresses(index + 1),
  }))
  await makeInternet(place)
  await Promise.all(networks.map((network) => makeRegionNetwork(place, network)))
  report('the network is there')
  const clusters = networks.map(({ region, nodes, addresses }) =>
    defineCluster(place, { region, nodes, addresses, toolbox, images, report }),
  )
  await Promise.all(clusters.map((cluster) => cluster.create()))
  return assemble(place, { toolbox, networks, clusters })
}

interface Parts {
  readonly toolbox: Toolbox
  readonly networks: readonly RegionNetwork[]
  readonly clusters: readonly Cluster[]
}

function assemble(place: LabPlace, { toolbox, networks, clusters }: Parts): Lab {
  const find = <T extends { readonly region: string }>(all: readonly T[], region: string): T => {
    const found = all.find((each) => each.region === region)
    if (found === undefined) throw new RangeError(`no such region in the lab: '${region}'`)
    return found
  }
  const stop = async (): Promise<void> => {
    const left = await place.close()
    if (left.length > 0) throw new Error(`the lab has left: ${left.join('; ')}`)
  }
  return {
    id: place.id,
    folder: place.folder,
    toolbox,
    client: openClient(place),
    wan: openWan(place, toolbox),
    clusters,
    cluster: (region) => find(clusters, region),
    cut: (region) => cutRegion(place.id, find(networks, region)),
    join: (region) => joinRegion(place.id, find(networks, region)),
    keep: (process) => place.keep({ processes: [process] }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function timed(report: (line: string) => void): (line: string) => void {
  const start = performance.now()
  return (line) =>
    report(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}`)
}
