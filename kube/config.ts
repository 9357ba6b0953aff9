import { KubeConfig } from '@kubernetes/client-node'
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'

export interface ClusterUser {
  /** A file; by default what kubectl would take, and in a pod its service account. */
  readonly kubeconfig?: string
  readonly context?: string
}

/** Refuses a kubeconfig that cannot be read, and one without that cluster. */
export function openConfig({ kubeconfig, context }: ClusterUser): KubeConfig {
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it is not one'
    throw new Refusal('ERR_CLUSTER_UNREACHABLE', `cannot read the kubeconfig: ${reason}`)
  }
  if (context !== undefined) config.setCurrentContext(context)
  if (config.getCurrentCluster() !== null) return config
  const what = context === undefined ? 'no cluster' : `no context ${quote(context)}`
  throw new Refusal('ERR_CLUSTER_UNREACHABLE', `${what} in the kubeconfig`)
}
