// Rollovers and restarts seen from outside: the network that runs is asked over its control socket.
import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import type { Homes } from '../../store/homes.ts'
import { askControl } from '../control/ask-control.ts'
import { isHeld, openControl } from '../control/open-control.ts'
import type { NextRootKey } from '../../store/roll-root.ts'
import { rollSigned, rollStopped, type Rolled, type RollRequest } from './roll-network.ts'

interface Where {
  readonly archipelago: Archipelago
  readonly homes: Homes
}
type Report = (line: string) => void

/**
 * Returns when every process has confirmed it; where none runs, when it is written. A root's key stays in
 * this process: what is asked of the network is to take what was signed.
 */
export async function rollNetwork(
  { archipelago, homes }: Where,
  request: RollRequest,
  { key, report }: { readonly key?: NextRootKey | undefined; readonly report: Report },
): Promise<Rolled> {
  const owner = { archipelago, homes, key }
  if (!(await isHeld(homes.run))) {
    await using _held = await openControl(homes.run)
    return await rollStopped(owner, request, report)
  }
  const advance = async (next: RollRequest): Promise<void> => {
    const asked = { ...next, do: 'roll' as const }
    if ((await askControl(homes.run, asked, report)) === undefined)
      throw new Refusal('ERR_CONTROL_LOST', 'the network ended meanwhile')
  }
  return rollSigned({ ...owner, nowMs: Date.now, report, advance }, request)
}

/** Refuses where nothing runs: then there is no link. */
export async function restartNetworkLinks(
  { homes }: Where,
  newKeys: readonly string[],
  report: Report,
): Promise<void> {
  const request = { do: 'restart-links' as const, newKeys: [...newKeys] }
  if ((await askControl(homes.run, request, report)) === undefined)
    throw new Refusal('ERR_NOT_RUNNING', `no network runs from ${homes.data}`)
}
