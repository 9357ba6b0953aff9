// One region's Kubernetes: a control plane in the first node, and nodes that can die and come back.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nodeAddresses, type RegionAddresses } from './addresses.ts'
import type { Cell } from './cell.ts'
import {
  controlPlaneOptions,
  joinNode,
  openNode,
  restartNode,
  type ClusterOptions,
  type NodeSource,
} from './cluster-node.ts'
import { ctrIn, importImage } from './containerd.ts'
import { prepareControlPlane, startControlPlane, type ControlPlane } from './control-plane.ts'
import { applyManifests, kubectlFor, type Kubectl, type Manifests } from './kubectl.ts'
import type { Image } from './lab-images.ts'
import { names, numbers } from './network.ts'
import type { LabPlace } from './place.ts'
import type { RunOptions } from './run.ts'
import { storageClass, volumesOf } from './volumes.ts'

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

interface Running {
  readonly cells: Map<string, Cell>
  readonly control: ControlPlane
}

interface State {
  readonly place: LabPlace
  readonly options: ClusterOptions
  readonly nodes: readonly ClusterNode[]
  readonly kubectl: Kubectl
  /** None while the cluster is deleted. */
  running?: Running | undefined
}

const corednsFile = new URL('coredns.yaml', import.meta.url)

/** Not running yet; its network is there. */
export function defineCluster(place: LabPlace, options: ClusterOptions): Cluster {
  const { region, addresses } = options
  const nodes = numbers(options.nodes).map((node) => ({
    name: `${region}-${node}`,
    address: nodeAddresses(addresses, node).node,
  }))
  const kubectl: Kubectl = (args, more) => kubectlOf(state)(args, more)
  const state: State = { place, options, nodes, kubectl }
  return {
    region,
    addresses,
    nodes,
    kubeconfig: () => runningOf(state).control.kubeconfig,
    kubectl,
    apply: (manifests) => applyManifests(kubectl, manifests),
    runIn: (node, command, args, more) => cellOf(state, node).run(command, args, more),
    importImage: (image) => importEverywhere(state, image),
    killNode: (name) => cellOf(state, name).kill(),
    restartNode: (name) => restart(state, name),
    delete: () => deleteCluster(state),
    create: () => createCluster(state),
  }
}

function runningOf({ running, options }: State): Running {
  if (running === undefined) throw new Error(`the cluster of ${options.region} is deleted`)
  return running
}

function cellOf(state: State, name: string): Cell {
  const cell = runningOf(state).cells.get(name)
  if (cell === undefined) throw new Error(`no such node in ${state.options.region}: '${name}'`)
  return cell
}

function kubectlOf(state: State): Kubectl {
  const { region, toolbox } = state.options
  return kubectlFor({
    namespace: names.node(state.place.id, region, 1),
    program: join(toolbox.bin, 'kubectl'),
    kubeconfig: runningOf(state).control.kubeconfig,
  })
}

function sourceOf({ place, options, kubectl }: State, name: string): NodeSource {
  return { place, options, kubectl, name }
}

async function importEverywhere(state: State, image: Image): Promise<void> {
  const cells = [...runningOf(state).cells.values()]
  await Promise.all(cells.map((cell) => importImage(ctrIn(cell), image)))
}

async function restart(state: State, name: string): Promise<void> {
  const { cells, control } = runningOf(state)
  cells.set(name, await restartNode(sourceOf(state, name), control))
}

async function deleteCluster(state: State): Promise<void> {
  const { place, options, nodes } = state
  await Promise.all([...runningOf(state).cells.values()].map((cell) => cell.kill()))
  state.running = undefined
  for (const name of [options.region, ...nodes.map((node) => node.name)]) {
    rmSync(join(place.folder, name), { recursive: true, force: true })
  }
}

async function createCluster(state: State): Promise<void> {
  const { options, nodes, kubectl } = state
  const [first = { name: '' }] = nodes
  const control = await prepareControlPlane(controlPlaneOptions(sourceOf(state, first.name)))
  const running = { cells: new Map<string, Cell>(), control }
  state.running = running
  await Promise.all(nodes.map(({ name }) => bringUp(state, running, name))).catch(explain(running))
  options.report(`${options.region}: every node is Ready`)
  const volumes = nodes.flatMap(({ name }) => volumesOf(name))
  await applyManifests(kubectl, [storageClass, ...volumes])
  const coredns = ['rollout', 'status', 'deployment/coredns', '--timeout=60s']
  await kubectl(['-n', 'kube-system', ...coredns])
  options.report(`${options.region}: DNS answers`)
}

/** All of them side by side; the first brings the control plane that the others wait for. */
async function bringUp(state: State, { cells, control }: Running, name: string): Promise<void> {
  const source = sourceOf(state, name)
  const isFirst = name === state.nodes[0]?.name
  const cell = await openNode(source, async (opened) => {
    cells.set(name, opened)
    if (isFirst) await bringControlPlane(source, opened, control)
  })
  await joinNode(source, cell, control)
}

async function bringControlPlane(
  source: NodeSource,
  cell: Cell,
  control: ControlPlane,
): Promise<void> {
  const { options, kubectl } = source
  await startControlPlane(cell, control, controlPlaneOptions(source))
  options.report(`${options.region}: the API server is ready`)
  const coredns = readFileSync(corednsFile, 'utf8')
  await applyManifests(kubectl, coredns.replace('CLUSTER_DNS', options.addresses.dnsService))
}

/** A program that has ended says more than the wait for it. */
function explain({ cells }: Running) {
  return (cause: unknown): never => {
    const failures = [...cells.values()].map((cell) => cell.failure()).filter(Boolean)
    if (failures.length === 0) throw cause
    throw new Error(failures.join('\n'), { cause })
  }
}
