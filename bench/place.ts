// Where a measurement runs: the network of archipelago.yaml, in a temporary folder.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArchipelago, type Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { writeTestArchipelago } from '../tests/test-network.ts'

export interface Place {
  readonly archipelago: Archipelago
  readonly archipelagoFile: string
}

/** The network of archipelago.yaml, described in a file of its own, on ports that are probably free. */
export function makePlace(folder: string, { isLegacyOpen = false } = {}): Place {
  const { archipelagoFile } = writeTestArchipelago(folder, (yaml) =>
    isLegacyOpen ? yaml.replace('doors: [lobby]', 'doors: [lobby, legacy]') : yaml,
  )
  const archipelago = parseArchipelago(readFileSync(archipelagoFile, 'utf8'), archipelagoFile)
  return { archipelago, archipelagoFile }
}

/** Is removed with all that is in it. */
export function makeFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'archipelago-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

const tries = 5

/** On ports that nobody holds: between the look and the use somebody may take one. */
export async function onFreePorts<T>(
  folder: string,
  use: (place: Place) => Promise<T>,
): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await use(makePlace(folder))
    } catch (error) {
      const isTaken = error instanceof Refusal && error.code === 'ERR_PORT_TAKEN'
      if (!isTaken || left === 1) throw error
    }
  }
}
