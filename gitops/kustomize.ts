// The real kustomize, as Argo CD runs it: no option that a cluster's Argo CD would have to be told.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { Refusal } from '../core/errors.ts'
import { findTool } from '../laptop/tools.ts'
import type { Manifest } from './manifest.ts'

const timeoutMs = 60_000
const bytesMax = 64 * 1024 * 1024

/** The objects of a folder with a kustomization, in kustomize's order. Refuses with kustomize's reason. */
export async function buildKustomization(folder: string): Promise<Manifest[]> {
  return parseManifests(await printKustomization(folder))
}

/** The same as YAML, byte for byte as kustomize prints it. */
async function printKustomization(folder: string): Promise<string> {
  const kustomize = await findTool('kustomize', { report: (line) => console.error(line) })
  const options = { timeout: timeoutMs, maxBuffer: bytesMax }
  try {
    return (await promisify(execFile)(kustomize, ['build', folder], options)).stdout
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim().split('\n')[0] ?? ''
    const message = `kustomize does not build ${folder}: ${said.replace(/^Error: /, '')}`
    throw new Refusal('ERR_KUSTOMIZE_BUILD', message, { cause })
  }
}

function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((object) => object !== null) as Manifest[]
}
