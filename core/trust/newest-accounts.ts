// Accounts go forward only: what was revoked once is not given back by an older file.
import { Refusal } from '../errors.ts'
import type { AccountJwt } from './account.ts'
import { decodeJwt } from './jwt.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'
import { requirePushable } from './push-rules.ts'

export interface NewestAccounts {
  readonly accounts: readonly AccountJwt[]
  /** Why an account that was offered is not among them, a line each. */
  readonly refused: readonly string[]
}

/**
 * Of each account that is offered: it, or the one that is held where it may not take its place, by the
 * rules of a push (push-rules.ts). An account that is no longer offered is held no longer.
 */
export function newestAccounts(
  offered: readonly string[],
  held: readonly string[],
  operator: OperatorJwt,
): NewestAccounts {
  const ours = held.flatMap((text) => {
    const account = decodeOrNothing(text)
    return account !== undefined && isSignedByOperator(account, operator) ? [account] : []
  })
  const accounts = new Map<string, AccountJwt>()
  const refused: string[] = []
  for (const text of offered) {
    const sub = decodeOrNothing(text)?.claims.sub
    const before = ours.find(({ claims }) => claims.sub === sub)
    try {
      const account = requirePushable(text, { operator, held: before ? [before.text] : [] })
      accounts.set(account.claims.sub, account)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refused.push(error.message)
      if (before !== undefined) accounts.set(before.claims.sub, before)
    }
  }
  return { accounts: [...accounts.values()], refused }
}

function decodeOrNothing(text: string): AccountJwt | undefined {
  try {
    return decodeJwt('account', text)
  } catch {
    return undefined
  }
}
