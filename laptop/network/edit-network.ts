// An edit seen from outside: the network that runs is asked over its control socket; the trust of
// one that does not run is changed here.
import type { Archipelago } from '../../core/archipelago.ts'
import type { Plan } from '../../core/plan/plan.ts'
import type { Homes } from '../../store/homes.ts'
import { askControl } from '../control/ask-control.ts'
import { openControl } from '../control/open-control.ts'
import { applyStopped, type Applied } from './apply-network.ts'
import type { ApplyOptions } from './edits.ts'
import { planStopped } from './plan-network.ts'

export interface EditPlace {
  readonly archipelago: Archipelago
  /** An absolute path: the running network reads it as well. */
  readonly archipelagoFile: string
  readonly homes: Homes
}

/** What an apply would do; changes nothing. */
export async function planEdit({ archipelago, archipelagoFile, homes }: EditPlace): Promise<Plan> {
  const request = { do: 'plan', archipelagoFile } as const
  const plan = await askControl<Plan>(homes.run, request, () => {})
  return plan ?? planStopped(homes, archipelago)
}

/** Returns when it is done; refuses what is impossible, and what asks unless that plan was agreed to. */
export async function applyEdit(
  { archipelago, archipelagoFile, homes }: EditPlace,
  { agreed, report = () => {} }: ApplyOptions,
): Promise<Applied> {
  const request = { do: 'apply', archipelagoFile, agreed } as const
  const applied = await askControl<Applied>(homes.run, request, report)
  if (applied !== undefined) return applied
  await using _held = await openControl(homes.run)
  return applyStopped(homes, { archipelago, agreed }, report)
}
