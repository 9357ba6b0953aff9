// Taking credentials back: what an account JWT says of revoked keys, and for how long it has to.
import * as z from 'zod'
import type { Archipelago } from '../archipelago.ts'
import { Refusal } from '../errors.ts'
import { parseJson } from '../parse-json.ts'
import type { AccountBody, AccountJwt } from './account.ts'
import { accountSecondsMax } from './lifetime.ts'

/**
 * The end of time, 9999-12-31T00:00:00Z: beats every `iat` up to then, future-dated ones included.
 * Not the last second of that year: nats-server writes revocations in its own time zone, where it
 * would be the year 10000, and then answers no more ACCOUNTZ at all (2.15.2).
 */
export const endOfTimeSeconds = 253_402_214_400

/** The account JWT travels in every answer, so it must not grow without an end. */
export const revocationsMax = 1_000

export type Revocations = AccountBody['revocations']

const record = z.strictObject({
  account: z.string(),
  nkey: z.string(),
  revokedAtSeconds: z.int(),
  /** From then on no credential of the key can be alive, and the entry leaves the account JWT. */
  keptUntilSeconds: z.int(),
})
const records = z.array(record)
/** Kept by the operator beside the account JWTs, which say only that a key is revoked for ever. */
export type RevocationRecord = z.infer<typeof record>

/** The account's revocations and these keys, in an order that does not depend on the past. */
export function addRevocations(
  { name, revocations }: { name: string; revocations: Revocations },
  nkeys: readonly string[],
): Revocations {
  const all = [...new Set([...Object.keys(revocations), ...nkeys])].toSorted()
  if (all.length > revocationsMax)
    throw new Refusal(
      'ERR_REVOCATIONS_FULL',
      `account ${name}: more than ${revocationsMax} revoked keys: ${all.length}`,
    )
  return Object.fromEntries(all.map((nkey) => [nkey, revocations[nkey] ?? endOfTimeSeconds]))
}

/** Without the entries whose time is over; what has no record stays. */
export function keepRevocations(
  { name, revocations }: { name: string; revocations: Revocations },
  recorded: readonly RevocationRecord[],
  nowSeconds: number,
): Revocations {
  const isOver = (nkey: string): boolean =>
    recorded.some(
      (each) => each.account === name && each.nkey === nkey && each.keptUntilSeconds <= nowSeconds,
    )
  return Object.fromEntries(Object.entries(revocations).filter(([nkey]) => !isOver(nkey)))
}

/** What is to be remembered of keys that are revoked now. */
export function recordRevocations(
  archipelago: Archipelago,
  account: AccountJwt,
  { nkeys, nowSeconds }: { nkeys: readonly string[]; nowSeconds: number },
): RevocationRecord[] {
  const name = account.claims.name ?? account.claims.sub
  const keptUntilSeconds = nowSeconds + accountSecondsMax(archipelago, account)
  return nkeys.map((nkey) => ({
    account: name,
    nkey,
    revokedAtSeconds: nowSeconds,
    keptUntilSeconds,
  }))
}

/** Refuses what formatRevocationRecords did not write: a wrong record could let a revoked key in. */
export function parseRevocationRecords(text: string): RevocationRecord[] {
  return parseJson(text, records, { what: 'revocations', code: 'ERR_REVOCATIONS_ILLEGAL' })
}

export function formatRevocationRecords(list: readonly RevocationRecord[]): string {
  return `${JSON.stringify(list, undefined, 2)}\n`
}
