// The trust of a network that is being started.
import { requireAgreed } from '../../core/plan/agreement.ts'
import { readApplied, writeApplied } from '../../store/applied.ts'
import { bootstrapAll } from '../../store/bootstrap.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { withTrustLock } from '../../store/trust-lock.ts'
import type { Archipelago } from '../../core/archipelago.ts'
import { readEdit } from './edits.ts'
import { renewLeafnodes } from './leafnodes.ts'
import { nowSeconds } from './now.ts'
import { planStopped } from './plan-network.ts'
import type { CurrentTrust } from './runtime.ts'

interface Place {
  readonly files: Files
  readonly homes: Homes
}

/** Makes and signs what is missing; refuses an archipelago.yaml that withdraws what only an apply may. */
export function makeTrust(
  { files, homes }: Place,
  { archipelago, archipelagoFile }: { archipelago: Archipelago; archipelagoFile: string },
): CurrentTrust {
  const applied = readApplied(files, homes)
  const isEdited = applied !== undefined && JSON.stringify(applied) !== JSON.stringify(archipelago)
  if (isEdited) requireAgreed(planStopped(homes, archipelago))
  const options = { files, homes, archipelago, nowSeconds: nowSeconds() }
  const operator = withTrustLock(homes, () => bootstrapAll(options))
  renewLeafnodes({ files, homes, archipelago, operator })
  writeApplied(files, homes, readEdit(archipelagoFile).text)
  return { archipelago, operator }
}
