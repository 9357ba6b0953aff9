// Makes servers and functions follow what the operator has revoked, and cuts who is still there.
import type { NatsConnection } from '@nats-io/nats-core'
import { isOf, isOfIdentity, type LiveConnection } from '../core/access/live-connection.ts'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { expectedFunctions, expectedServers } from '../core/network/expected.ts'
import type { DeclaredState, DeclaredTrust, Revoked } from '../core/trust/declared-state.ts'
import { parseScopeName } from '../core/trust/declare.ts'
import type { DenyList } from '../core/trust/deny-list.ts'
import { findServers } from './account-state.ts'
import { identify, kick, readLiveConnections } from './live-connections.ts'
import { pushAccounts, type AccountPush } from './push-accounts.ts'
import { pushDenyList, type DenyListPush } from './push-deny-list.ts'

export interface Enforcers {
  readonly pusher: NatsConnection
  /** The operator among the functions. */
  readonly access: NatsConnection
}

export interface Enforcement {
  readonly archipelago: Archipelago
  readonly state: DeclaredState
}

export interface RevocationReport {
  /** All keys that are revoked: those that were named, and those found under a name or an invite. */
  readonly nkeys: readonly string[]
  readonly accounts: readonly AccountPush[]
  readonly denyList: DenyListPush
  readonly kicked: readonly LiveConnection[]
  /** Servers that did not list their connections. */
  readonly unread: readonly string[]
  /** Every server runs the accounts and every function shows the deny list. */
  readonly isDone: boolean
}

/** Somebody could come back under a denied name between two looks; not more often than this. */
const roundsMax = 3

/**
 * Finds live connections of these keys, names and invites, has their keys revoked as well, pushes
 * accounts and deny list, and kicks who is left. May be run again: what is done stays done. Names
 * count in the roles' accounts only.
 */
export async function enforceRevocation(
  enforcers: Enforcers,
  wanted: Revoked,
  enforcement: Enforcement,
): Promise<RevocationReport> {
  const { archipelago, state } = enforcement
  const expected = expectedFunctions(archipelago, withdrawnOf(wanted, state))
  let target = wanted
  for (let round = 1; ; round += 1) {
    const { found } = await findTargets(enforcers, target, enforcement)
    target = extend(target, found, state)
    state.revoke(target)
    const accounts = await pushTrust(enforcers, target, enforcement)
    const { found: left, unread } = await findTargets(enforcers, target, enforcement)
    const isNew = left.some(({ nkey }) => !target.nkeys.includes(nkey))
    if (isNew && round < roundsMax) continue
    const kicked = await kickAll(enforcers, left)
    const list = (): DenyList => state.read().denyList
    const denyList = await pushDenyList(enforcers.access, { list, expected })
    const isPushed = denyList.isDone && accounts.every((push) => push.isDone)
    const isDone = isPushed && !isNew && unread.length === 0
    return { nkeys: target.nkeys, accounts, denyList, kicked, unread, isDone }
  }
}

/** What was withdrawn before is out of the network; what is withdrawn now may still be there. */
function withdrawnOf({ identities: now = [] }: Revoked, state: DeclaredState): string[] {
  const { identities } = state.read().denyList.claims.nats
  return [...new Set([...identities, ...now])]
}

export interface FoundTargets {
  readonly found: readonly LiveConnection[]
  readonly unread: readonly string[]
}

/** Live connections of revoked keys, and of denied names and invites. */
export async function findTargets(
  { pusher }: Pick<Enforcers, 'pusher'>,
  target: Revoked,
  { archipelago, state }: Enforcement,
): Promise<FoundTargets> {
  const { accounts } = state.read()
  const expected = expectedServers(archipelago, withdrawnOf(target, state))
  const servers = await findServers(pusher, expected)
  const lists = await Promise.allSettled(
    servers.map((server) => readLiveConnections(pusher, server)),
  )
  const listed = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
  const { identities = [] } = target
  const live = identities.length === 0 ? listed : identify(listed, state)
  const roleKeys = new Set(accounts.flatMap(({ claims }) => roleKeysOf(claims.nats)))
  const isWanted = (each: LiveConnection): boolean =>
    target.nkeys.includes(each.nkey) ||
    isOfIdentity(each, identities) ||
    (roleKeys.has(each.issuer) && isOf(each, target))
  const unread = servers.filter((_, at) => lists[at]?.status === 'rejected')
  return { found: live.filter(isWanted), unread: unread.map(({ name }) => name) }
}

function roleKeysOf({ signing_keys }: DeclaredTrust['accounts'][number]['claims']['nats']) {
  return signing_keys
    .filter(({ role }) => parseScopeName(role) !== undefined)
    .map(({ key }) => key as string)
}

/** The keys that were found, and the accounts in which they are alive. */
function extend(target: Revoked, found: readonly LiveConnection[], state: DeclaredState): Revoked {
  const alive = state
    .read()
    .accounts.filter(({ claims }) => found.some(({ account }) => account === claims.sub))
    .map(({ claims }) => claims.name as string)
  return {
    ...target,
    nkeys: [...new Set([...target.nkeys, ...found.map(({ nkey }) => nkey)])],
    accounts: [...new Set([...target.accounts, ...alive])],
  }
}

/** What is on disk when it is sent; a second try if another command was faster. */
async function pushTrust(
  { pusher }: Enforcers,
  target: Revoked,
  { archipelago, state }: Enforcement,
): Promise<AccountPush[]> {
  const push = (): Promise<AccountPush[]> => {
    const { operator, accounts } = state.read()
    const texts = accounts
      .filter(({ claims }) => target.accounts.includes(claims.name as string))
      .map(({ text }) => text)
    return pushAccounts(pusher, {
      operator,
      accounts: texts,
      expectedServers: expectedServers(archipelago, withdrawnOf(target, state)),
    })
  }
  try {
    return await push()
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ERR_ACCOUNT_OLDER') return push()
    throw error
  }
}

async function kickAll(
  { pusher }: Enforcers,
  connections: readonly LiveConnection[],
): Promise<LiveConnection[]> {
  const kicked = await Promise.all(connections.map((each) => kick(pusher, each)))
  return connections.filter((_, at) => kicked[at])
}
