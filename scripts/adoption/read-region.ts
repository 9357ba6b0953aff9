// What a region's cluster publishes, from a file or by the operator's own kubectl.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Refusal } from '../../core/errors.ts'
import { quote } from '../../core/quote.ts'
import {
  parseRegionPublic,
  regionPublicName,
  type RegionPublic,
} from '../../core/trust/region-public.ts'
import { readOrRefuse } from '../../store/files.ts'

export interface RegionSource {
  /** What `kubectl get configmap region-public --output yaml` printed. */
  readonly file?: string | undefined
  readonly context?: string | undefined
  readonly namespace: string
}

const timeoutMs = 30_000

/** Refuses the ConfigMap of another region: whoever named the wrong context would adopt it under this name. */
export async function readRegion(region: string, source: RegionSource): Promise<RegionPublic> {
  const text =
    source.file === undefined
      ? await askKubectl(source)
      : readOrRefuse(source.file, `ConfigMap ${regionPublicName}`)
  const found = parseRegionPublic(text)
  if (found.keys.region === region) return found
  throw new Refusal(
    'ERR_REGION_PUBLIC_ILLEGAL',
    `ConfigMap ${regionPublicName} is of region ${quote(found.keys.region)}, not ${region}`,
  )
}

async function askKubectl({ context, namespace }: RegionSource): Promise<string> {
  const args = [
    ...['get', 'configmap', regionPublicName, '--namespace', namespace, '--output', 'json'],
    ...(context === undefined ? [] : ['--context', context]),
  ]
  try {
    const { stdout } = await promisify(execFile)('kubectl', args, { timeout: timeoutMs })
    return stdout
  } catch (cause) {
    const { code, stderr = '' } = cause as NodeJS.ErrnoException & { stderr?: string }
    if (code === 'ENOENT') throw new Refusal('ERR_TOOL_MISSING', 'no kubectl on PATH', { cause })
    const said = stderr.trim().split('\n').at(-1) ?? ''
    throw new Refusal('ERR_CLUSTER_REFUSED', `kubectl ${args.slice(0, 3).join(' ')}: ${said}`, {
      cause,
    })
  }
}
