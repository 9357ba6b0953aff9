// Rollovers and restarts seen from outside: the network that runs is asked over its control socket.
import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import type { Homes } from '../../store/homes.ts'
import { askControl } from '../control/ask-control.ts'
import { openControl } from '../control/open-control.ts'
import { rollStopped, type Rolled, type RollRequest } from './roll-network.ts'

interface Where {
  readonly archipelago: Archipelago
  readonly homes: Homes
}
type Report = (line: string) => void

/** Returns when every process has confirmed it; where none runs, when it is written. */
export async function rollNetwork(
  { archipelago, homes }: Where,
  request: RollRequest,
  report: Report,
): Promise<Rolled> {
  const rolled = await askControl<Rolled>(homes.run, { do: 'roll', ...request }, report)
  if (rolled !== undefined) return rolled
  await using _held = await openControl(homes.run)
  return await rollStopped({ archipelago, homes }, request, report)
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
