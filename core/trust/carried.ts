// The trust as git carries it to the clusters: it goes forward only. A revert would bring revoked credentials
// back to life, and servers that hold something newer would keep that and differ from git.
import { Refusal } from '../errors.ts'
import { parseAccount, type AccountJwt } from './account.ts'
import { parseConfiguration, requireNotOlder, type ConfigurationJwt } from './configuration.ts'
import { parseDenyList, succeedDenyList, type DenyList } from './deny-list.ts'
import { parseOperator, type OperatorJwt } from './operator.ts'

export interface CarriedTrust {
  readonly operator: OperatorJwt
  /** By name. */
  readonly accounts: ReadonlyMap<string, AccountJwt>
  readonly denyList: DenyList | undefined
  readonly configuration: ConfigurationJwt | undefined
}

/** The entries of ConfigMap `trust`; undefined where it is empty, as cloned. Refuses what its operator did not sign. */
export function parseCarried(data: Readonly<Record<string, string>>): CarriedTrust | undefined {
  const { 'operator.jwt': text, 'deny-list.jwt': denied, 'configuration.jwt': applied } = data
  const names = Object.keys(data).filter((key) => accountKey.test(key))
  if (text === undefined) {
    if (names.length === 0) return undefined
    throw new Refusal('ERR_CHAIN_BROKEN', `accounts without an operator: ${names.join(', ')}`)
  }
  const operator = parseOperator(text)
  const accounts = names.map((key) => {
    const account = parseAccount(data[key] as string, operator)
    return [account.claims.name as string, account] as const
  })
  return {
    operator,
    accounts: new Map(accounts),
    denyList: denied === undefined ? undefined : parseDenyList(denied, operator),
    configuration: applied === undefined ? undefined : parseConfiguration(applied, operator),
  }
}

const accountKey = /^accounts\.[A-Z0-9_]+\.jwt$/

/** Refuses another operator's trust, whatever is older, and a revocation that is lost. */
export function requireForwardTrust(before: CarriedTrust | undefined, after: CarriedTrust): void {
  if (before === undefined) return
  requireOperator(before.operator.claims.sub, after)
  for (const [name, account] of before.accounts) requireForwardAccount(name, account, after)
  const { denyList, configuration } = before
  if (denyList !== undefined && after.denyList === undefined) throw lost('the deny list')
  if (denyList !== undefined && after.denyList !== undefined)
    succeedDenyList(denyList, after.denyList)
  if (configuration !== undefined && after.configuration === undefined)
    throw lost('the configuration')
  if (configuration !== undefined && after.configuration !== undefined)
    requireNotOlder(configuration, after.configuration)
}

/** Refuses the trust of any other operator than the one whose public key is named. */
export function requireOperator(key: string, { operator }: Pick<CarriedTrust, 'operator'>): void {
  if (operator.claims.sub === key) return
  throw new Refusal('ERR_OPERATOR_OTHER', `trust of operator ${operator.claims.sub}, not ${key}`)
}

/** A revocation leaves an account when no credential of that key can be alive, but never the deny list. */
function requireForwardAccount(
  name: string,
  { claims, text }: AccountJwt,
  { accounts, denyList }: CarriedTrust,
): void {
  const next = accounts.get(name)
  if (next === undefined) throw lost(`account ${name}`)
  const isSame = next.text === text
  if (!isSame && next.claims.iat <= claims.iat)
    throw new Refusal(
      'ERR_MANIFEST_OLDER',
      `account ${name} would go back: issued at ${next.claims.iat}, not after ${claims.iat}`,
    )
  const denied: readonly string[] = denyList?.claims.nats.nkeys ?? []
  for (const key of Object.keys(claims.nats.revocations))
    if (!(key in next.claims.nats.revocations) && !denied.includes(key))
      throw new Refusal(
        'ERR_MANIFEST_OLDER',
        `revocation of ${key} in account ${name} would be lost`,
      )
}

const lost = (what: string) => new Refusal('ERR_MANIFEST_OLDER', `${what} would be lost`)
