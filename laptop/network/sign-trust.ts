import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { bootstrapHomes } from '../../store/bootstrap.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { nowSeconds } from './now.ts'

interface Place {
  readonly files: Files
  readonly homes: Homes
}

/**
 * Makes what is missing in the homes that are here and signs what archipelago.yaml declares; refuses
 * where the operator has its home elsewhere.
 */
export function signTrust({ files, homes }: Place, archipelago: Archipelago): OperatorHome {
  const options = { files, homes, archipelago, nowSeconds: nowSeconds() }
  const { operator } = bootstrapHomes(options, {})
  if (operator !== undefined) return operator
  throw new Refusal('ERR_HOME_ELSEWHERE', `the home of the operator is not in ${homes.data}`)
}
