// One node of a cluster: from an empty cell to Ready, and again after it was killed.
import { join } from 'node:path'
import { until } from '../../until.ts'
import { nodeAddresses, type RegionAddresses } from './addresses.ts'
import { startCell, type Cell } from './cell.ts'
import { admitNode, awaitReady } from './cloud.ts'
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts'
import type { Kubectl } from './kubectl.ts'
import type { Image } from './lab-images.ts'
import { prepareNode, startNode, type NodeOptions } from './node.ts'
import type { LabPlace } from './place.ts'
import type { Toolbox } from './toolbox.ts'
import { makeVolumeFolders } from './volumes.ts'
import { succeeds } from './succeeds.ts'

export interface ClusterOptions {
  readonly region: string
  readonly addresses: RegionAddresses
  readonly nodes: number
  readonly toolbox: Toolbox
  readonly images: readonly Image[]
  readonly report: (line: string) => void
}

export interface NodeSource {
  readonly place: LabPlace
  readonly options: ClusterOptions
  readonly kubectl: Kubectl
  /** As Kubernetes names it. */
  readonly name: string
}

const apiMs = 90_000
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A cell with its images; what is to run beside that begins as soon as the cell is there. */
export async function openNode(
  source: NodeSource,
  beside: (cell: Cell) => Promise<void>,
): Promise<Cell> {
  const cell = await openCell(source)
  await Promise.all([prepareNode(cell, nodeOptions(source)), beside(cell)])
  return cell
}

/** Returns when the node is Ready. */
export async function joinNode(
  source: NodeSource,
  cell: Cell,
  control: ControlPlane,
): Promise<void> {
  const { kubectl, name } = source
  const options = nodeOptions(source)
  await makeVolumeFolders(cell)
  await startNode(cell, control, options)
  const node = { name, address: options.addresses.node }
  await awaitApi(kubectl)
  await admitNode(kubectl, node)
  await awaitReady(kubectl, node)
}

/** With what is on its disk; the first node has the control plane. */
export async function restartNode(source: NodeSource, control: ControlPlane): Promise<Cell> {
  const isFirst = source.name === `${source.options.region}-1`
  const cell = await openNode(source, async (opened) => {
    if (isFirst) await startControlPlane(opened, control, controlPlaneOptions(source))
  })
  await joinNode(source, cell, control)
  return cell
}

async function openCell({ place, options, name }: NodeSource): Promise<Cell> {
  const pause = join(await options.toolbox.peer('pause'), 'bin/pause')
  const path = `${options.toolbox.bin}:${systemPath}`
  const folder = place.folderOf(name)
  return startCell(place, { name: `${place.id}-${name}`, folder, pause, path })
}

function nodeOptions({ options, name }: NodeSource): NodeOptions {
  const { region, addresses, toolbox, images } = options
  const number = Number(name.slice(region.length + 1))
  const own = nodeAddresses(addresses, number)
  return { region, name, addresses: own, regional: addresses, toolbox, images }
}

/** The control plane is in the first node, whichever is asked. */
export function controlPlaneOptions({ place, options }: NodeSource): ControlPlaneOptions {
  const { region, addresses, toolbox } = options
  const address = nodeAddresses(addresses, 1).node
  return { region, addresses, address, folder: place.folderOf(region), toolbox }
}

/** A second node has everything ready before the first has an API server. */
async function awaitApi(kubectl: Kubectl): Promise<void> {
  const isReady = () => succeeds(kubectl(['get', '--raw=/readyz']))
  await until('the API server', isReady, { deadlineMs: apiMs })
}
