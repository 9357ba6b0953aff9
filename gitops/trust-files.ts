// manifests/trust of a clone: read, and written forward.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { Refusal } from '../core/errors.ts'
import { parseCarried, requireForwardTrust, type CarriedTrust } from '../core/trust/carried.ts'
import { readIfThere } from '../store/files.ts'
import { readPublishedTrust } from '../store/published-trust.ts'
import type { AuthorityStore } from '../store/root.ts'
import { renderTrust } from './render/trust.ts'

export interface TrustChange {
  /** From the folder of the manifests. */
  readonly path: string
  readonly kind: 'made' | 'changed'
}

/**
 * Writes the trust of all regions as it is published; refuses to put anything back to an older state, another
 * operator's trust, and more than a ConfigMap holds. Without an operator the files are there and empty.
 */
export function writeTrustManifests(
  store: AuthorityStore,
  manifests: string,
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): TrustChange[] {
  const { archipelago } = store
  const rendered = renderTrust(archipelago, readPublishedTrust(store))
  for (const { name } of archipelago.regions) {
    const after = readCarried(rendered.get(trustFile(name)))
    const before = readCarried(readIfThere(join(manifests, 'trust', trustFile(name))))
    if (after !== undefined) requireForwardTrust(before, after)
    else if (before !== undefined)
      throw new Refusal('ERR_MANIFEST_OLDER', `trust of ${name} would be lost: no operator is here`)
  }
  return [...rendered].flatMap(([path, text]): TrustChange[] => {
    const file = join(manifests, 'trust', path)
    const before = readIfThere(file)
    if (before === text) return []
    if (!isDryRun) write(file, text)
    return [{ path: join('trust', path), kind: before === undefined ? 'made' : 'changed' }]
  })
}

const trustFile = (region: string) => `${region}/trust.yaml`

/** What a file `trust.yaml` carries; nothing where there is none, or an empty one as cloned. */
export function readCarried(text: string | undefined): CarriedTrust | undefined {
  const { data } = (parse(text ?? '') ?? {}) as { data?: Record<string, string> | null }
  return parseCarried(data ?? {})
}

/** Public, and read by whoever has the clone: with the modes that git gives files. */
function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new Refusal('ERR_STORE_UNWRITABLE', `cannot write ${file}: ${reason}`, { cause })
  }
}
