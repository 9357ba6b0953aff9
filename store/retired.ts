// Accounts that archipelago.yaml names no more. Servers never forget an account (their resolvers do
// not delete, and sync with each other), so it is closed: nobody is in it, and nobody gets in.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import {
  parseAccount,
  signAccount,
  type AccountBody,
  type AccountJwt,
} from '../core/trust/account.ts'
import { accountNames } from '../core/trust/declare.ts'
import type { Nkey, NkeyPair } from '../core/trust/nkey.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import { readAccountText, type NscStore } from './nsc.ts'

/** The closed JWT of each; an account that comes back is opened again with the same key. */
export function retireAccounts(
  store: NscStore,
  archipelago: Archipelago,
  {
    operator,
    signer,
    nowSeconds,
  }: { operator: OperatorJwt; signer: NkeyPair<'operator'>; nowSeconds: number },
): AccountJwt[] {
  const declared = new Set(accountNames(archipelago))
  return storedAccounts(store)
    .filter((name) => !declared.has(name))
    .flatMap((name) => {
      const text = readAccountText(store, name)
      if (text === undefined) return []
      const previous = parseAccount(text, operator)
      const { sub, nats } = previous.claims
      const body = closedBody(nats)
      const closed = { name, publicKey: sub as Nkey<'account'>, body }
      return [signAccount(signer, closed, { nowSeconds, previous })]
    })
}

/** What is revoked in it stays revoked. */
const closedBody = ({ revocations }: AccountBody): AccountBody => ({
  limits: {
    ...{ subs: 0, data: 0, payload: 0, imports: 0, exports: 0 },
    ...{ wildcards: true, disallow_bearer: true, conn: 0, leaf: 0 },
  },
  ...{ signing_keys: [], imports: [], exports: [], revocations },
  ...{ type: 'account', version: 2 },
})

function storedAccounts({ stores, operator }: NscStore): string[] {
  try {
    return readdirSync(join(stores, operator, 'accounts')).toSorted()
  } catch {
    // Nothing was ever stored.
    return []
  }
}
