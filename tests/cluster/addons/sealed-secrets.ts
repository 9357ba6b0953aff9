// The sealed-secrets controller, where kubeseal looks for it.
import { join } from 'node:path'
import type { Cluster } from '../lab/cluster.ts'
import type { Toolbox } from '../lab/toolbox.ts'
import { awaitRollouts, installObjects } from './install.ts'
import { runLocalPrograms } from './local-programs.ts'
import { renderChart } from './render-chart.ts'

const namespace = 'kube-system'
const peer = 'sealed-secrets'

/** Returns when it has its key. */
export async function installSealedSecrets(cluster: Cluster, toolbox: Toolbox): Promise<void> {
  const values = { fullnameOverride: 'sealed-secrets-controller' }
  const rendered = await renderChart(toolbox, { peer, release: peer, namespace, values })
  const folder = join(await toolbox.peer(peer), 'bin')
  const controller = {
    command: ['/peer/sealed-secrets-controller'],
    folders: { '/peer': folder },
  }
  const objects = runLocalPrograms(rendered, { controller })
  await installObjects(cluster, namespace, objects)
  await awaitRollouts(cluster, namespace, objects)
}
