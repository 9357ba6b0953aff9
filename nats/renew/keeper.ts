import type { Refusal } from '../../core/errors.ts'
import { makeAlarm, type Alarm } from './alarm.ts'
import { hold, type Held } from './held.ts'
import { makeHearings, type Hearings } from './hearings.ts'
import { systemClock, type Clock } from './life.ts'
import { makeOutbox, type Outbox } from './outbox.ts'
import type { HeldCredential, RenewalStatus, Renewing } from './renewing.ts'

/** All that is known while a program is kept connected. */
export interface Keeper<C extends HeldCredential> {
  readonly renewing: Renewing<C>
  readonly clock: Clock
  readonly hearings: Hearings
  readonly outbox: Outbox
  readonly alarm: Alarm
  readonly end: AbortController
  held: Held<C>
  /** Before it is due. */
  isWanted: boolean
  /** The attempt that is under way. */
  running: Promise<void> | undefined
  /** In a row. */
  failures: number
  /** On the monotonic clock. */
  retryAtMs: number
  /** Why nobody is asked again. */
  refusal: Refusal | undefined
}

export function makeKeeper<C extends HeldCredential>(renewing: Renewing<C>): Keeper<C> {
  const { clock = systemClock, credential } = renewing
  const outbox = makeOutbox()
  return {
    renewing,
    clock,
    hearings: makeHearings(clock.monotonicMs, outbox.publish),
    outbox,
    alarm: makeAlarm(),
    end: new AbortController(),
    held: hold(credential, clock),
    isWanted: false,
    running: undefined,
    failures: 0,
    retryAtMs: 0,
    refusal: undefined,
  }
}

export function report<C extends HeldCredential>(
  { renewing }: Keeper<C>,
  status: RenewalStatus,
): void {
  renewing.onStatus?.(status)
}
