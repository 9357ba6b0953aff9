import { Refusal } from '../../core/errors.ts'
import { formatTime, thisClock } from '../../core/time.ts'
import { remainingMs, startLife, type Clock, type Life } from './life.ts'
import type { HeldCredential } from './renewing.ts'
import { dueMs } from './schedule.ts'

/** A credential and its life. */
export interface Held<C extends HeldCredential> {
  readonly credential: C
  readonly life: Life
  /** How much of its life it may have behind it before it is renewed. */
  readonly dueMs: number
}

export function hold<C extends HeldCredential>(credential: C, clock: Clock): Held<C> {
  const life = startLife(credential.creds.user.claims, clock)
  return { credential, life, dueMs: dueMs(life.lengthMs, Math.random()) }
}

/** What was heard and permitted is the key's: another key would be another program. */
export function succeed<C extends HeldCredential>(
  { credential }: Held<C>,
  next: C,
  clock: Clock,
): Held<C> {
  const { publicKey } = next.creds.pair
  if (publicKey !== credential.creds.pair.publicKey)
    throw new TypeError(`renewed for another key: ${publicKey}`)
  return hold(next, clock)
}

export function isOver<C extends HeldCredential>({ life }: Held<C>): boolean {
  return remainingMs(life) <= 0
}

/** What every dial goes through, also those of a reconnect: no server is asked with a dead credential. */
export function requireAlive<C extends HeldCredential>(held: Held<C>): Held<C> {
  if (!isOver(held)) return held
  throw sayEnded(held, 'the')
}

/** With both clocks, for whoever says so may have another one. */
export function sayEnded<C extends HeldCredential>(held: Held<C>, whose: string): Refusal {
  const { sub, exp = 0 } = held.credential.creds.user.claims
  const what = `${whose} credential of ${sub} is over: it ends ${formatTime(exp * 1000)}`
  return new Refusal('ERR_JWT_EXPIRED', `${what}, ${thisClock(Date.now())}`)
}
