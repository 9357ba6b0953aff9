// A node: containerd, kubelet and kube-proxy in a cell. A node that was killed starts again with what
// is on its disk.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { NodeAddresses, RegionAddresses } from './addresses.ts'
import type { Cell } from './cell.ts'
import { startContainerd } from './containerd.ts'
import type { ControlPlane } from './control-plane.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import type { Image } from './lab-images.ts'
import type { Toolbox } from './toolbox.ts'

export interface NodeOptions {
  readonly region: string
  /** As Kubernetes names it, 'ams3-1'. */
  readonly name: string
  readonly addresses: NodeAddresses
  readonly regional: RegionAddresses
  readonly toolbox: Toolbox
  readonly images: readonly Image[]
}

/** What a node needs before the API server answers. */
export async function prepareNode(cell: Cell, options: NodeOptions): Promise<void> {
  mkdirSync(join(cell.folder, 'cni'), { recursive: true })
  await cell.run('nft', ['-f', '-'], { input: maskRules(options.regional) })
  await startContainerd(cell, { ...options, pods: options.addresses.pods })
}

/** The node joins by itself as soon as the API server answers. */
export async function startNode(
  cell: Cell,
  control: ControlPlane,
  options: NodeOptions,
): Promise<void> {
  const { region, name, toolbox } = options
  const at = { pki: control.pki, cluster: region, server: control.server }
  const kubeconfig = await writeKubeconfig(at, name, `CN=system:node:${name}, O=system:nodes`)
  const kubelet = writeYaml(cell, 'kubelet', kubeletConfiguration(cell.name, control, options))
  const labels = `topology.kubernetes.io/region=${region},topology.kubernetes.io/zone=${name}`
  cell.start('kubelet', [
    join(toolbox.bin, 'kubelet'),
    `--config=${kubelet}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${name}`,
    `--node-labels=${labels}`,
    // The lab is the cloud: it says which addresses the node has.
    '--cloud-provider=external',
  ])
  const proxy = writeYaml(cell, 'kube-proxy', proxyConfiguration(control, options))
  cell.start('kube-proxy', [join(toolbox.bin, 'kube-proxy'), `--config=${proxy}`])
}

function maskRules({ pods }: RegionAddresses): string {
  const rule = `ip saddr ${pods} ip daddr != ${pods} masquerade`
  return `table ip lab { chain out { type nat hook postrouting priority srcnat; ${rule}; }; }\n`
}

function writeYaml(cell: Cell, name: string, value: object): string {
  const file = join(cell.folder, `${name}.yaml`)
  writeFileSync(file, stringify(value))
  return file
}

function kubeletConfiguration(cgroup: string, { pki }: ControlPlane, options: NodeOptions): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: options.addresses.node,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki.authority },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    clusterDNS: [options.regional.dnsService],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    // A developer's disk may be nearly full.
    imageGCHighThresholdPercent: 100,
    evictionHard: Object.fromEntries(
      ['memory.available', 'nodefs.available', 'imagefs.available', 'nodefs.inodesFree'].map(
        (each) => [each, '0%'],
      ),
    ),
    nodeStatusUpdateFrequency: '5s',
    // A minute by default, for which each change of a mounted file would be waited for.
    syncFrequency: '10s',
  }
}

function proxyConfiguration({ pki }: ControlPlane, { name, regional }: NodeOptions): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clusterCIDR: regional.pods,
    hostnameOverride: name,
    clientConnection: { kubeconfig: join(pki.folder, 'kube-proxy.kubeconfig') },
    // Else it would set them for the whole machine.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: '0s',
      tcpCloseWaitTimeout: '0s',
    },
  }
}
