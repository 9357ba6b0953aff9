// Where a measurement runs: the network of archipelago.yaml, in a temporary folder.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArchipelago, type Archipelago } from '../core/archipelago.ts'
import { claimPorts } from '../tests/port-block.ts'
import { writeTestArchipelago } from '../tests/test-network.ts'

export interface Place {
  readonly archipelago: Archipelago
  readonly archipelagoFile: string
}

/** The network of archipelago.yaml, described in a file of its own, on ports that are this process' own. */
export async function claimPlace(folder: string, { isLegacyOpen = false } = {}): Promise<Place> {
  // Kept until the process ends: rows are few, and blocks are many.
  const { firstPort } = await claimPorts()
  const edit = (yaml: string): string =>
    isLegacyOpen ? yaml.replace('doors: [lobby]', 'doors: [lobby, legacy]') : yaml
  const archipelagoFile = writeTestArchipelago(folder, { firstPort, edit })
  const archipelago = parseArchipelago(readFileSync(archipelagoFile, 'utf8'), archipelagoFile)
  return { archipelago, archipelagoFile }
}

/** Is removed with all that is in it. */
export function makeFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'archipelago-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
