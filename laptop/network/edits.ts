// Edits of archipelago.yaml on a running network: looked at any time, applied one at a time.
import { Refusal } from '../../core/errors.ts'
import type { Plan } from '../../core/plan/plan.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import type { ControlHandler } from '../control/open-control.ts'
import { applyRunning, followDenyList, type Applied, type Followed } from './apply-network.ts'
import { planRunning } from './plan-network.ts'
import type { NetworkRuntime } from './runtime.ts'
import { rollDue, rollRunning, type Rolled, type RollRequest } from './roll-network.ts'
import type { Watcher } from './watch.ts'

export interface ApplyOptions {
  /** Digest of the plan that somebody agreed to; what withdraws something is refused without it. */
  readonly agreed?: string | undefined
  readonly report?: (line: string) => void
}

type Report = (line: string) => void

export interface Edits {
  /** What applying this file would do; changes nothing. */
  plan(archipelagoFile: string): Plan
  /** Refuses while another edit is under way, as those that follow do. */
  apply(archipelagoFile: string, options?: ApplyOptions): Promise<Applied>
  /** Makes the processes what the deny list says: who is withdrawn goes, who is reinstated comes. */
  follow(report?: Report): Promise<Followed>
  /** Replaces an authority, or a root with all authorities below it. */
  roll(request: RollRequest, report?: Report): Promise<Rolled>
  /** Replaces the authorities that have little left. */
  rollDue(report?: Report): Promise<void>
  /** Drains and restarts every server in turn, those that are named with new keys. */
  restartLinks(newKeys: readonly string[], report?: Report): Promise<void>
}

export function openEdits(runtime: NetworkRuntime, watcher: Watcher): Edits {
  let isBusy = false
  const refuseWhileBusy = (): void => {
    if (isBusy) throw new Refusal('ERR_BUSY', 'an edit is under way in this network')
  }
  const alone = async <T>(act: () => Promise<T>): Promise<T> => {
    refuseWhileBusy()
    isBusy = true
    return act().finally(() => (isBusy = false))
  }
  const unwatched = <T>(act: () => Promise<T>) => alone(() => watcher.whileAway(act))
  return {
    plan(file) {
      refuseWhileBusy()
      return planRunning(runtime, readArchipelago(file))
    },
    async apply(file, { agreed, report = () => {} } = {}) {
      refuseWhileBusy()
      const edit = { archipelago: readArchipelago(file), agreed }
      return unwatched(() => applyRunning(runtime, edit, report))
    },
    follow: (report = () => {}) => unwatched(() => followDenyList(runtime, report)),
    roll: (request, report = () => {}) => alone(() => rollRunning(runtime, request, report)),
    rollDue: (report = () => {}) => alone(() => rollDue(runtime, report)),
    restartLinks: (newKeys, report = () => {}) =>
      unwatched(() => runtime.supercluster.restartLinks(newKeys, report)),
  }
}

/** The control socket's way to them. */
export function controlEdits(edits: Edits): ControlHandler {
  return async (request, report) => {
    switch (request.do) {
      case 'plan':
        return edits.plan(request.archipelagoFile)
      case 'apply':
        return edits.apply(request.archipelagoFile, { agreed: request.agreed, report })
      case 'follow':
        return edits.follow(report)
      case 'roll':
        return edits.roll(request, report)
      case 'restart-links':
        await edits.restartLinks(request.newKeys, report)
        return {}
    }
  }
}
