import { Refusal, type RefusalCode } from '../errors.ts'
import { formatTime, thisClock } from '../time.ts'

/** How far an issuer's clock may be ahead of this one. */
const skewMs = 60_000
const secondsMax = 253_402_300_799

/**
 * The end, in Unix milliseconds; both clocks are in what it refuses. A token without an end lives for
 * good. That it began is asked with 60 s of grace; at its end there is none, for the credential ends
 * with it.
 */
export function requireTimes(
  { exp, nbf, iat }: Readonly<Record<string, unknown>>,
  nowMs: number,
): number {
  const clock = thisClock(nowMs)
  if (!isTime(exp)) throw refusal('ERR_TOKEN_TIMES', 'no end (exp)')
  if (exp * 1000 <= nowMs)
    throw refusal('ERR_TOKEN_EXPIRED', `it ended ${formatTime(exp * 1000)}, ${clock}`)
  for (const begin of [nbf, iat]) {
    if (begin === undefined) continue
    if (!isTime(begin)) throw refusal('ERR_TOKEN_TIMES', 'a begin (nbf, iat) that is no time')
    if (begin * 1000 > nowMs + skewMs)
      throw refusal('ERR_TOKEN_NOT_YET_VALID', `it begins ${formatTime(begin * 1000)}, ${clock}`)
  }
  return exp * 1000
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= secondsMax

const refusal = (code: RefusalCode, what: string) => new Refusal(code, `token refused: ${what}`)
