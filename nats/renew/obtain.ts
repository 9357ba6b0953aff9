import { Refusal } from '../../core/errors.ts'
import { isOver, requireAlive } from './held.ts'
import type { Keeper } from './keeper.ts'
import { isDenied, isFinal } from './refusal.ts'
import type { HeldCredential } from './renewing.ts'

/** The next credential: over the connection while there is one, and when that is too late, as at first. */
export async function obtain<C extends HeldCredential>({
  held,
  outbox,
  renewing,
}: Keeper<C>): Promise<C> {
  const { renew, requestAgain } = renewing
  try {
    if (outbox.line?.isUp) return await renew(held.credential, outbox.line.nc)
    requireAlive(held)
    throw new Refusal('ERR_CONNECT', 'no connection over which to renew')
  } catch (reason) {
    const isTooLate = isOver(held) || isFinal(reason)
    if (requestAgain === undefined || !isTooLate || isDenied(reason)) throw reason
    return requestAgain(held.credential)
  }
}
