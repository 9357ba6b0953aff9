// Edits of archipelago.yaml on a running network: looked at any time, applied one at a time.
import { Refusal } from '../../core/errors.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import type { ControlHandler } from '../control/open-control.ts'
import { applyRunning, type Applied } from './apply-network.ts'
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
}

export function openEdits(runtime: NetworkRuntime, watcher: Watcher): Edits {
  let isApplying = false
  const refuseWhileApplying = (): void => {
    if (isApplying) throw new Refusal('ERR_BUSY', 'an apply is under way in this network')
  }
  return {
    plan(file) {
      refuseWhileApplying()
      return planRunning(runtime, readArchipelago(file))
    },
    async apply(file, { agreed, report = () => {} } = {}) {
      refuseWhileApplying()
      isApplying = true
      try {
        const edit = { archipelago: readArchipelago(file), agreed }
        return await watcher.whileAway(() => applyRunning(runtime, edit, report))
      } finally {
        isApplying = false
      }
    },
  }
}

/** The control socket's way to them. */
export function controlEdits(edits: Edits): ControlHandler {
  return async (request, report) => {
    const { archipelagoFile } = request
    if (request.do === 'plan') return edits.plan(archipelagoFile)
    return edits.apply(archipelagoFile, { agreed: request.agreed, report })
  }
}
