// What was last applied: what the next edit of archipelago.yaml is compared with.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { parseAccount, type AccountJwt } from '../core/trust/account.ts'
import { parseConfiguration } from '../core/trust/configuration.ts'
import { parseOperator, type OperatorJwt } from '../core/trust/operator.ts'
import { readOrRefuse, type Files } from './files.ts'
import type { Homes } from './homes.ts'
import { publicFiles } from './public.ts'

/** Undefined where nothing was applied yet; refuses what this network's operator did not sign. */
export function readApplied(files: Files, homes: Homes): Archipelago | undefined {
  const operator = readOperatorIfThere(files, homes)
  const text = files.read(publicFiles.configuration(homes.public))
  if (operator === undefined || text === undefined) return undefined
  return parseConfiguration(text, operator).claims.nats.archipelago
}

/** Every account that was ever published; none where there is no operator yet. */
export function readPublishedAccounts(files: Files, homes: Homes): AccountJwt[] {
  const operator = readOperatorIfThere(files, homes)
  const folder = join(homes.public, 'accounts')
  // The operator is published first: who was ended then has published no account.
  if (operator === undefined || !existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jwt'))
    .map((name) => readOrRefuse(join(folder, name), 'account JWT'))
    .map((jwt) => parseAccount(jwt, operator))
}

function readOperatorIfThere(files: Files, homes: Homes): OperatorJwt | undefined {
  const text = files.read(publicFiles.operator(homes.public))
  return text === undefined ? undefined : parseOperator(text)
}
