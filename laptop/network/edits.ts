// Edits of archipelago.yaml on a running network: looked at any time, applied one at a time.
import { Refusal } from '../../core/errors.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import type { ControlHandler } from '../control/open-control.ts'
import { applyRunning, followDenyList, type Applied, type Followed } from './apply-network.ts'
import { planRunning } from './plan-network.ts'
import type { NetworkRuntime } from './runtime.ts'
import type { Watcher } from './watch.ts'

export interface ApplyOptions {
  /** Digest of the plan that somebody agreed to; what withdraws something is refused without it. */
  readonly agreed?: string | undefined
  readonly report?: (line: string) => void
}

export interface Edits {
  /** What applying this file would do; changes nothing. */
  plan(archipelagoFile: string): Plan
  /** Refuses while another apply is under way. */
  apply(archipelagoFile: string, options?: ApplyOptions): Promise<Applied>
  /** Makes the processes what the deny list says: who is withdrawn goes, who is reinstated comes. */
  follow(report?: (line: string) => void): Promise<Followed>
}

export function openEdits(runtime: NetworkRuntime, watcher: Watcher): Edits {
  let isApplying = false
  const refuseWhileApplying = (): void => {
    if (isApplying) throw new Refusal('ERR_BUSY', 'an apply is under way in this network')
  }
  const alone = async <T>(act: () => Promise<T>): Promise<T> => {
    refuseWhileApplying()
    isApplying = true
    return watcher.whileAway(act).finally(() => (isApplying = false))
  }
  return {
    plan(file) {
      refuseWhileApplying()
      return planRunning(runtime, readArchipelago(file))
    },
    async apply(file, { agreed, report = () => {} } = {}) {
      refuseWhileApplying()
      const edit = { archipelago: readArchipelago(file), agreed }
      return alone(() => applyRunning(runtime, edit, report))
    },
    follow: (report = () => {}) => alone(() => followDenyList(runtime, report)),
  }
}

/** The control socket's way to them. */
export function controlEdits(edits: Edits): ControlHandler {
  return async (request, report) => {
    if (request.do === 'follow') return edits.follow(report)
    const { archipelagoFile } = request
    if (request.do === 'plan') return edits.plan(archipelagoFile)
    return edits.apply(archipelagoFile, { agreed: request.agreed, report })
  }
}
