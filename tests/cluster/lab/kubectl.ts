// kubectl against one cluster of the lab, from the network of its first node.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { namespaceFile } from './clean.ts'
import { run, type RunOptions } from './run.ts'

export interface Kubectl {
  /** What it printed. */
  (args: readonly string[], options?: RunOptions): Promise<string>
}

export interface KubectlOptions {
  /** A network namespace of the cluster's. */
  readonly namespace: string
  readonly program: string
  readonly kubeconfig: string
}

export function kubectlFor({ namespace, program, kubeconfig }: KubectlOptions): Kubectl {
  const command = [`--net=${namespaceFile(namespace)}`, program, '--kubeconfig', kubeconfig]
  return (args, options = {}) =>
    run('nsenter', [...command, ...args], { env: { HOME: '/nonexistent' }, ...options })
}

/** Objects, their YAML, or a path; a folder with a kustomization is built first. */
export type Manifests = string | readonly object[]

/** Applies on the server's side: what a webhook or a policy refuses is refused here. */
export async function applyManifests(kubectl: Kubectl, manifests: Manifests): Promise<string> {
  const apply = ['apply', '--server-side', '--force-conflicts']
  if (typeof manifests !== 'string') {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests }
    return kubectl([...apply, '-f', '-'], { input: JSON.stringify(list) })
  }
  if (manifests.includes('\n')) return kubectl([...apply, '-f', '-'], { input: manifests })
  const isOverlay = existsSync(join(manifests, 'kustomization.yaml'))
  return kubectl([...apply, isOverlay ? '-k' : '-f', manifests])
}
