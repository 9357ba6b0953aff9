// cert-manager with its webhook and CA injector, and approver-policy in the place of its own approver,
// which would approve whatever is asked.
import { join } from 'node:path'
import { until } from '../../until.ts'
import type { Cluster } from '../lab/cluster.ts'
import type { Toolbox } from '../lab/toolbox.ts'
import { describeTroubles } from '../lab/troubles.ts'
import { awaitRollouts, installObjects } from './install.ts'
import { runLocalPrograms } from './local-programs.ts'
import { renderChart, type KubernetesObject } from './render-chart.ts'

const namespace = 'cert-manager'
const readyMs = 120_000

/** The namespace is `cert-manager`; returns when its webhooks answer. */
export async function installCertManager(cluster: Cluster, toolbox: Toolbox): Promise<void> {
  const objects = [...(await certManager(toolbox)), ...(await approverPolicy(toolbox))]
  await installObjects(cluster, namespace, objects)
  await awaitRollouts(cluster, namespace, objects)
  await awaitWebhooks(cluster)
}

async function certManager(toolbox: Toolbox): Promise<KubernetesObject[]> {
  const values = {
    crds: { enabled: true },
    disableAutoApproval: true,
    startupapicheck: { enabled: false },
    // It is served by upstream's main function, and ours does without.
    livenessProbe: { enabled: false },
  }
  const peer = 'cert-manager'
  const objects = await renderChart(toolbox, { peer, release: peer, namespace, values })
  const folder = join(await toolbox.peer(peer), 'bin')
  return runLocalPrograms(
    objects,
    Object.fromEntries(
      ['controller', 'webhook', 'cainjector'].map((part) => {
        const program = `cert-manager-${part}`
        return [program, { command: [`/peer/${program}`], folders: { '/peer': folder } }]
      }),
    ),
  )
}

async function approverPolicy(toolbox: Toolbox): Promise<KubernetesObject[]> {
  const peer = 'approver-policy'
  const release = 'cert-manager-approver-policy'
  const objects = await renderChart(toolbox, { peer, release, namespace, values: {} })
  const folder = join(await toolbox.peer(peer), 'bin')
  const local = { command: [`/peer/${peer}`], folders: { '/peer': folder } }
  return runLocalPrograms(objects, { [release]: local })
}

/** Each is asked about an object of its own that it has to find good. */
async function awaitWebhooks({ kubectl, region }: Cluster): Promise<void> {
  const dryRun = ['create', '--dry-run=server', '-f', '-']
  let refusal: unknown
  const isUp = (probe: object) =>
    kubectl(dryRun, { input: JSON.stringify(probe) }).then(
      () => true,
      (error: unknown) => {
        refusal = error
        return false
      },
    )
  const areUp = async () => (await Promise.all(probes.map(isUp))).every(Boolean)
  await until(`cert-manager's webhooks in ${region}`, areUp, { deadlineMs: readyMs }).catch(
    async (cause: unknown) => {
      const why = await describeTroubles(kubectl, namespace)
      throw new Error(`${String(cause)}: ${String(refusal)} ${why}`, { cause })
    },
  )
}

const probes = [
  {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'probe' },
    spec: { selfSigned: {} },
  },
  {
    apiVersion: 'policy.cert-manager.io/v1alpha1',
    kind: 'CertificateRequestPolicy',
    metadata: { name: 'probe' },
    spec: { selector: { issuerRef: {} } },
  },
]
