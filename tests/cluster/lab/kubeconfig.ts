import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { KeyPair, Pki } from './pki.ts'

export interface Kubeconfigs {
  readonly pki: Pki
  readonly cluster: string
  readonly server: string
}

/** Issues a certificate and writes a kubeconfig that names it; returns the file. */
export async function writeKubeconfig(
  { pki, cluster, server }: Kubeconfigs,
  name: string,
  subject: string,
): Promise<string> {
  const { certificate, key }: KeyPair = await pki.issue(name, subject)
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': cluster,
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority': pki.authority } }],
    users: [{ name, user: { 'client-certificate': certificate, 'client-key': key } }],
    contexts: [{ name: cluster, context: { cluster, user: name } }],
  })
  const file = join(pki.folder, `${name}.kubeconfig`)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}
