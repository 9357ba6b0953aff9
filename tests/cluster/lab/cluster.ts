// One region's Kubernetes: a control plane in the first node, and nodes that can die and come back.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../until.ts'
import { nodeAddresses, type RegionAddresses } from './addresses.ts'
import { startCell, type Cell } from './cell.ts'
import { admitNode, awaitReady } from './cloud.ts'
import { importImage } from './containerd.ts'
import {
  prepareControlPlane,
  startControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from './control-plane.ts'
import { applyManifests, kubectlFor, type Kubectl, type Manifests } from './kubectl.ts'
import type { Image } from './lab-images.ts'
import { names, numbers } from './network.ts'
import { prepareNode, startNode, type NodeOptions } from './node.ts'
import type { LabPlace } from './place.ts'
import type { RunOptions } from './run.ts'
import type { Toolbox } from './toolbox.ts'
import { makeVolumeFolders, storageClass, volumesOf } from './volumes.ts'

export interface Cluster {
  readonly region: string
  readonly addresses: RegionAddresses
  /** Their names in Kubernetes, 'ams3-1', and their addresses. */
  readonly nodes: readonly ClusterNode[]
  /** Of an administrator; its server answers inside the lab's network only. */
  kubeconfig(): string
  readonly kubectl: Kubectl
  apply(manifests: Manifests): Promise<string>
  /** A program in the namespaces of a node. */
  runIn(
    node: string,
    command: string,
    args: readonly string[],
    options?: RunOptions,
  ): Promise<string>
  /** On all nodes. */
  importImage(image: Image): Promise<void>
  /** As a power cut. */
  killNode(name: string): Promise<void>
  /** Returns when it is Ready again. */
  restartNode(name: string): Promise<void>
  /** All nodes and all that was ever stored in them. The network stays. */
  delete(): Promise<void>
  /** Empty and new; its certificates, too. Returns when it is usable. */
  create(): Promise<void>
}

export interface ClusterNode {
  readonly name: string
  readonly address: string
}

export interface ClusterOptions {
  readonly region: string
  readonly addresses: RegionAddresses
  readonly nodes: number
  readonly toolbox: Toolbox
  readonly images: readonly Image[]
  readonly report: (line: string) => void
}

interface Running {
  readonly cells: Map<string, Cell>
  readonly control: ControlPlane
}

const corednsFile = new URL('coredns.yaml', import.meta.url)

/** Not running yet; its network is there. */
export function defineCluster(place: LabPlace, options: ClusterOptions): Cluster {
  const { region, addresses, toolbox } = options
  const nodes = numbers(options.nodes).map((node) => ({
    name: `${region}-${node}`,
    address: nodeAddresses(addresses, node).node,
  }))
  let running: Running | undefined
  const need = (): Running => {
    if (running === undefined) throw new Error(`the cluster of ${region} is deleted`)
    return running
  }
  const cellOf = (name: string): Cell => {
    const cell = need().cells.get(name)
    if (cell === undefined) throw new Error(`no such node in ${region}: '${name}'`)
    return cell
  }
  const kubectl: Kubectl = (args, more) =>
    kubectlFor({
      namespace: names.node(place.id, region, 1),
      program: join(toolbox.bin, 'kubectl'),
      kubeconfig: need().control.kubeconfig,
    })(args, more)
  const nodeOf = (name: string): NodeSource => ({ place, options, kubectl, name })
  return {
    region,
    addresses,
    nodes,
    kubeconfig: () => need().control.kubeconfig,
    kubectl,
    apply: (manifests) => applyManifests(kubectl, manifests),
    runIn: (node, command, args, more) => cellOf(node).run(command, args, more),
    importImage: async (image) => {
      const ctr =
        (cell: Cell) =>
        (...args: string[]) =>
          cell.run('ctr', ['--namespace=k8s.io', ...args], { deadlineMs: 120_000 })
      await Promise.all([...need().cells.values()].map((cell) => importImage(ctr(cell), image)))
    },
    killNode: (name) => cellOf(name).kill(),
    restartNode: async (name) => {
      const source = nodeOf(name)
      const cell = await openCell(source)
      need().cells.set(name, cell)
      await prepareNode(cell, nodeOptions(source))
      if (name === nodes[0]?.name)
        await startControlPlane(cell, need().control, controlOptions(source))
      await joinNode(source, cell, need().control)
    },
    delete: async () => {
      await Promise.all([...need().cells.values()].map((cell) => cell.kill()))
      running = undefined
      for (const { name } of nodes)
        rmSync(join(place.folder, name), { recursive: true, force: true })
      rmSync(join(place.folder, region), { recursive: true, force: true })
    },
    create: async () => {
      const sources = nodes.map(({ name }) => nodeOf(name))
      const control = await prepareControlPlane(controlOptions(nodeOf(`${region}-1`)))
      running = { cells: new Map(), control }
      await Promise.all(sources.map((source) => bringUp(source, need())))
      options.report(`${region}: every node is Ready`)
      const volumes = nodes.flatMap(({ name }) => volumesOf(name))
      await applyManifests(kubectl, [storageClass, ...volumes])
      await kubectl([
        '-n',
        'kube-system',
        'rollout',
        'status',
        'deployment/coredns',
        '--timeout=60s',
      ])
      options.report(`${region}: DNS answers`)
    },
  }
}

interface NodeSource {
  readonly place: LabPlace
  readonly options: ClusterOptions
  readonly kubectl: Kubectl
  readonly name: string
}

/** All of them side by side; the first brings the control plane that the others wait for. */
async function bringUp(source: NodeSource, { cells, control }: Running): Promise<void> {
  const { options, kubectl, name } = source
  const cell = await openCell(source)
  cells.set(name, cell)
  const isFirst = name === `${options.region}-1`
  const own = isFirst ? startControlPlane(cell, control, controlOptions(source)) : undefined
  await Promise.all([prepareNode(cell, nodeOptions(source)), own])
  if (isFirst) {
    options.report(`${options.region}: the API server is ready`)
    const coredns = readFileSync(corednsFile, 'utf8')
    await applyManifests(kubectl, coredns.replace('CLUSTER_DNS', options.addresses.dnsService))
  }
  await joinNode(source, cell, control)
}

async function joinNode(source: NodeSource, cell: Cell, control: ControlPlane): Promise<void> {
  const { kubectl, name } = source
  const options = nodeOptions(source)
  await makeVolumeFolders(cell)
  await startNode(cell, control, options)
  const node = { name, address: options.addresses.node }
  await awaitApi(kubectl)
  await admitNode(kubectl, node)
  await awaitReady(kubectl, node)
}

async function openCell({ place, options, name }: NodeSource): Promise<Cell> {
  const pause = join(await options.toolbox.peer('pause'), 'bin/pause')
  const path = `${options.toolbox.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
  const folder = place.folderOf(name)
  return startCell(place, { name: `${place.id}-${name}`, folder, pause, path })
}

function nodeOptions({ options, name }: NodeSource): NodeOptions {
  const { region, addresses, toolbox, images } = options
  const number = Number(name.slice(region.length + 1))
  const own = nodeAddresses(addresses, number)
  return { region, name, addresses: own, regional: addresses, toolbox, images }
}

function controlOptions({ place, options }: NodeSource): ControlPlaneOptions {
  const { region, addresses, toolbox } = options
  const address = nodeAddresses(addresses, 1).node
  return { region, addresses, address, folder: place.folderOf(region), toolbox }
}

/** A second node has everything ready before the first has an API server. */
async function awaitApi(kubectl: Kubectl): Promise<void> {
  await until(
    'the API server',
    () =>
      kubectl(['get', '--raw=/readyz']).then(
        () => true,
        () => false,
      ),
    {
      deadlineMs: 90_000,
    },
  )
}
