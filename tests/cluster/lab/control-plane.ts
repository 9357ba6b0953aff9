// etcd, the API server, the controller manager and the scheduler in a region's first node, set up as
// kubeadm does it.
import { join } from 'node:path'
import { until } from '../../until.ts'
import type { RegionAddresses } from './addresses.ts'
import type { Cell } from './cell.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { makePki, type Pki } from './pki.ts'
import type { Toolbox } from './toolbox.ts'

export interface ControlPlaneOptions {
  readonly region: string
  readonly addresses: RegionAddresses
  /** Of the first node. */
  readonly address: string
  readonly folder: string
  readonly toolbox: Toolbox
}

export interface ControlPlane {
  readonly pki: Pki
  readonly server: string
  /** Of a cluster administrator. */
  readonly kubeconfig: string
}

const readyMs = 90_000
const etcdClient = 'http://127.0.0.1:2379'
const etcdPeer = 'http://127.0.0.1:2380'

/** Keys and certificates, before anything runs. */
export async function prepareControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { region, address, folder } = options
  const pki = await makePki(join(folder, 'pki'), region)
  const server = `https://${address}:6443`
  const at = { pki, cluster: region, server }
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  const domain = 'kubernetes.default.svc.cluster.local'
  const hosts = [
    address,
    '127.0.0.1',
    options.addresses.apiService,
    ...service,
    domain,
    'localhost',
  ]
  await pki.issue('apiserver', 'CN=kube-apiserver', hosts)
  await pki.issue('kubelet-client', 'CN=kube-apiserver-kubelet-client, O=system:masters')
  for (const each of ['kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
    await writeKubeconfig(at, each, `CN=system:${each}`)
  }
  const kubeconfig = await writeKubeconfig(at, 'admin', 'CN=kubernetes-admin, O=system:masters')
  return { pki, server, kubeconfig }
}

/** Returns as soon as the API server is ready. */
export async function startControlPlane(
  cell: Cell,
  { pki, kubeconfig }: ControlPlane,
  options: ControlPlaneOptions,
): Promise<void> {
  const program = (name: string) => join(options.toolbox.bin, name)
  cell.start('etcd', [program('etcd'), ...etcdFlags(options.folder)])
  cell.start('kube-apiserver', [program('kube-apiserver'), ...apiServerFlags(pki, options)])
  await until(
    `the API server of ${options.region}`,
    async () => {
      const failure = cell.failure()
      if (failure !== undefined) throw new Error(failure)
      const look = ['--kubeconfig', kubeconfig, 'get', '--raw=/readyz']
      return cell.run(program('kubectl'), look).then(isOk, () => false)
    },
    { deadlineMs: readyMs },
  )
  cell.start('kube-controller-manager', [
    program('kube-controller-manager'),
    ...controllerManagerFlags(pki, options),
  ])
  const scheduler = join(pki.folder, 'kube-scheduler.kubeconfig')
  cell.start('kube-scheduler', [program('kube-scheduler'), ...controllerFlags(scheduler)])
}

const isOk = (answer: string): boolean => answer === 'ok'

function etcdFlags(folder: string): string[] {
  return [
    '--name=lab',
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdClient}`,
    `--advertise-client-urls=${etcdClient}`,
    `--listen-peer-urls=${etcdPeer}`,
    `--initial-advertise-peer-urls=${etcdPeer}`,
    `--initial-cluster=lab=${etcdPeer}`,
    // It is to survive a test, not a power cut.
    '--unsafe-no-fsync',
  ]
}

function apiServerFlags({ folder, tokens }: Pki, options: ControlPlaneOptions): string[] {
  return [
    `--etcd-servers=${etcdClient}`,
    `--advertise-address=${options.address}`,
    '--secure-port=6443',
    `--tls-cert-file=${folder}/apiserver.crt`,
    `--tls-private-key-file=${folder}/apiserver.key`,
    `--client-ca-file=${folder}/ca.crt`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--service-cluster-ip-range=${options.addresses.services}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${tokens.public}`,
    `--service-account-signing-key-file=${tokens.key}`,
    `--kubelet-client-certificate=${folder}/kubelet-client.crt`,
    `--kubelet-client-key=${folder}/kubelet-client.key`,
    '--kubelet-preferred-address-types=InternalIP',
  ]
}

function controllerManagerFlags({ folder, tokens }: Pki, options: ControlPlaneOptions): string[] {
  return [
    ...controllerFlags(join(folder, 'kube-controller-manager.kubeconfig')),
    `--cluster-cidr=${options.addresses.pods}`,
    `--cluster-signing-cert-file=${folder}/ca.crt`,
    `--cluster-signing-key-file=${folder}/ca.key`,
    `--root-ca-file=${folder}/ca.crt`,
    `--service-account-private-key-file=${tokens.key}`,
    '--use-service-account-credentials=true',
    // Half of what is usual, so that a test need not wait so long for a dead node.
    '--node-monitor-grace-period=20s',
  ]
}

function controllerFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
  ]
}
