// A release's own chart, as its users install it, rendered by Helm.
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { PeerName } from '../peers/peers.ts'
import { run } from '../lab/run.ts'
import type { Toolbox } from '../lab/toolbox.ts'

/** As much as has to be known of any object of Kubernetes. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

export interface ChartOptions {
  /** The peer whose folder `chart` it is. */
  readonly peer: PeerName
  readonly release: string
  readonly namespace: string
  readonly values: object
}

export async function renderChart(
  toolbox: Toolbox,
  { peer, release, namespace, values }: ChartOptions,
): Promise<KubernetesObject[]> {
  const [helm, chart] = await Promise.all([toolbox.peer('helm'), toolbox.peer(peer)])
  const place = ['--namespace', namespace, '--kube-version', '1.36.3', '--include-crds']
  const args = ['template', release, join(chart, 'chart'), ...place, '--values', '-']
  const input = JSON.stringify(values)
  return parseObjects(await run(join(helm, 'bin/helm'), args, { input, env: { HOME: chart } }))
}

export function parseObjects(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null)
}
