// archipelago.yaml as it was last applied: what the next edit is compared with.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArchipelago, type Archipelago } from '../core/archipelago.ts'
import { parseAccount, type AccountJwt } from '../core/trust/account.ts'
import { parseOperator } from '../core/trust/operator.ts'
import { readOrRefuse, type Files } from './files.ts'
import type { Homes } from './homes.ts'
import { publicFiles } from './public.ts'

export function appliedFile(homes: Homes): string {
  return join(homes.public, 'archipelago.yaml')
}

/** Undefined where nothing was applied yet. */
export function readApplied(files: Files, homes: Homes): Archipelago | undefined {
  const path = appliedFile(homes)
  const text = files.read(path)
  return text === undefined ? undefined : parseArchipelago(text, path)
}

export function writeApplied(files: Files, homes: Homes, text: string): void {
  files.write(appliedFile(homes), text)
}

/** Every account that was ever published; none where there is no operator yet. */
export function readPublishedAccounts(files: Files, homes: Homes): AccountJwt[] {
  const text = files.read(publicFiles.operator(homes.public))
  if (text === undefined) return []
  const operator = parseOperator(text)
  return readdirSync(join(homes.public, 'accounts'))
    .filter((name) => name.endsWith('.jwt'))
    .map((name) => readOrRefuse(join(homes.public, 'accounts', name), 'account JWT'))
    .map((jwt) => parseAccount(jwt, operator))
}
