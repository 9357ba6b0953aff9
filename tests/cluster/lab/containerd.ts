// A node's containerd, with its images; nothing is pulled from anywhere.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../until.ts'
import type { Cell } from './cell.ts'
import { labImages, type Image } from './lab-images.ts'
import type { Toolbox } from './toolbox.ts'
import { succeeds } from './succeeds.ts'

const importMs = 120_000

export interface ContainerdOptions {
  readonly toolbox: Toolbox
  /** The node's pods' network. */
  readonly pods: string
  readonly images: readonly Image[]
}

/** Returns when the images are there. */
export async function startContainerd(cell: Cell, options: ContainerdOptions): Promise<void> {
  const { toolbox } = options
  const configuration = join(cell.folder, 'containerd.toml')
  writeFileSync(configuration, containerdConfiguration(cell.folder, toolbox))
  writeFileSync(join(cell.folder, 'cni', '10-lab.conflist'), cniConfiguration(options.pods))
  cell.start('containerd', [join(toolbox.bin, 'containerd'), '--config', configuration])
  const ctr = ctrIn(cell)
  await until(`containerd of ${cell.name}`, () => succeeds(ctr('version')), { deadlineMs: 30_000 })
  for (const image of options.images) await importImage(ctr, image)
}

type Ctr = (...args: string[]) => Promise<string>

/** containerd's client, where kubelet's images are. */
export function ctrIn(cell: Cell): Ctr {
  return (...args) => cell.run('ctr', ['--namespace=k8s.io', ...args], { deadlineMs: importMs })
}

/** Pods name an image by tag or digest; here all of its names are given to it at once. */
export async function importImage(ctr: Ctr, { archive, references = [] }: Image): Promise<void> {
  const said = await ctr('images', 'import', archive)
  const [name] = /\S+(?=\s*\()/.exec(said.replace('unpacking ', '')) ?? []
  if (name === undefined) throw new Error(`ctr imported no image: '${said.trim()}'`)
  for (const reference of references) await ctr('images', 'tag', '--force', name, reference)
}

function containerdConfiguration(folder: string, { bin, cni }: Toolbox): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [${['aufs', 'btrfs', 'devmapper', 'zfs'].map((each) => `"io.containerd.snapshotter.v1.${each}"`).join(', ')}]
[grpc]
  address = "/run/containerd/containerd.sock"
[${cri}]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  sandbox_image = "${labImages.pause}"
  disable_apparmor = true
  # A sandbox need not be allowed to lower it.
  restrict_oom_score_adj = true
[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  BinaryName = "${join(bin, 'runc')}"
[${cri}.cni]
  bin_dir = "${cni}"
  conf_dir = "${join(folder, 'cni')}"
`
}

/** One bridge; what leaves the region is masked by the node's own rule, so not here. */
function cniConfiguration(pods: string): string {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: pods }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam }
  const portmap = { type: 'portmap', capabilities: { portMappings: true } }
  return JSON.stringify({ cniVersion: '0.4.0', name: 'lab', plugins: [bridge, portmap] })
}
