// The trust of a network that is being started.
import type { Archipelago } from '../../core/archipelago.ts'
import { requireAgreed } from '../../core/plan/agreement.ts'
import { readApplied } from '../../store/applied.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { withTrustLock } from '../../store/trust-lock.ts'
import { deleteWithdrawnKeys } from '../../store/withdrawn.ts'
import { renewLeafnodes } from './leafnodes.ts'
import { planStopped } from './plan-network.ts'
import type { CurrentTrust } from './runtime.ts'
import { signTrust } from './sign-trust.ts'

interface Place {
  readonly files: Files
  readonly homes: Homes
}

/** Makes and signs what is missing; refuses an archipelago.yaml that withdraws what only an apply may. */
export function makeTrust({ files, homes }: Place, archipelago: Archipelago): CurrentTrust {
  const isApplied = JSON.stringify(readApplied(files, homes)) === JSON.stringify(archipelago)
  if (!isApplied) requireAgreed(planStopped(homes, archipelago))
  const operator = withTrustLock(homes, () => signTrust({ files, homes }, archipelago))
  renewLeafnodes({ files, homes, archipelago, operator })
  // An apply that was ended in the middle may have left some.
  withTrustLock(homes, () => deleteWithdrawnKeys(homes, archipelago))
  return { archipelago, operator }
}
