// From archipelago.yaml and public keys to what each account's JWT shall say.
import type { Archipelago, Role } from '../archipelago.ts'
import {
  accessSubject,
  askedSubjects,
  openDoors,
  renewedSubjects,
  type FunctionDoor,
} from '../network/access-subject.ts'
import type {
  AccountBody,
  PermissionTemplate,
  ScopedKey,
  ServiceExport,
  ServiceImport,
} from './account.ts'
import {
  accessOperatorCeiling,
  legacyRequestorCeiling,
  leafnodeCeiling,
  lobbyCeiling,
  monitorCeiling,
  observerCeiling,
  pusherCeiling,
  roleCeiling,
} from './ceiling.ts'
import type { Nkey } from './nkey.ts'
import type { RegionKeys } from './region-keys.ts'

type AccountKey = Nkey<'account'>

/** Users whose home is the operator's machine, and their accounts. */
export const serviceUsers = {
  observer: { account: 'SYS', ceiling: () => observerCeiling },
  pusher: { account: 'SYS', ceiling: () => pusherCeiling },
  'access-operator': { account: 'ACCESS', ceiling: () => accessOperatorCeiling },
  lobby: { account: 'LOBBY', ceiling: lobbyCeiling },
  'legacy-requestor': { account: 'LEGACY', ceiling: legacyRequestorCeiling },
} as const
export type ServiceUser = keyof typeof serviceUsers

export interface DeclaredAccount {
  readonly name: string
  readonly body: AccountBody
}

/** Accounts that this network has: the built-in ones and those of its roles. */
export function accountNames({ accounts, roles }: Archipelago): string[] {
  const legacy = openDoors(roles).includes('legacy') ? ['LEGACY'] : []
  return ['SYS', 'ACCESS', 'LOBBY', ...legacy, ...accounts.map(({ name }) => name)]
}

/** Service users of this network: the legacy requestor only where that door is open. */
export function serviceUserNames(archipelago: Archipelago): ServiceUser[] {
  const accounts = accountNames(archipelago)
  const names = Object.keys(serviceUsers) as ServiceUser[]
  return names.filter((user) => accounts.includes(serviceUsers[user].account))
}

/** What every account's JWT shall say, in an order that does not depend on anything else. */
export function declareAccounts(
  archipelago: Archipelago,
  keys: {
    readonly accounts: Readonly<Record<string, AccountKey>>
    readonly serviceUsers: Readonly<Partial<Record<ServiceUser, AccountKey>>>
    readonly regions: readonly RegionKeys[]
    readonly revocations: Readonly<Record<string, Readonly<Record<string, number>>>>
  },
): DeclaredAccount[] {
  const access = keys.accounts['ACCESS'] as AccountKey
  return accountNames(archipelago).map((name) => ({
    name,
    body: {
      limits: accountLimits(archipelago, name),
      signing_keys: [
        ...serviceScopes(archipelago, name, keys.serviceUsers),
        ...(name === 'SYS' ? monitorScopes(keys.regions) : []),
        ...(name === 'ACCESS' ? leafnodeScopes(archipelago, keys.regions) : []),
        ...roleScopes(archipelago, name, keys.regions),
      ],
      imports: imports(archipelago, name, access),
      exports: name === 'ACCESS' ? accessExports(archipelago) : [],
      revocations: keys.revocations[name] ?? {},
      type: 'account',
      version: 2,
    },
  }))
}

// For a region: in a cluster each function has a leafnode server beside it, four doors of four replicas, and
// another one while it is replaced.
const leafnodesMax = 32

function accountLimits(archipelago: Archipelago, name: string): AccountBody['limits'] {
  const { lobby, accounts, regions } = archipelago
  const isLobby = name === 'LOBBY' || name === 'LEGACY'
  const roleAccount = accounts.find((account) => account.name === name)
  const conn = isLobby ? lobby.connectionsMax : (roleAccount?.connectionsMax ?? -1)
  return {
    subs: -1,
    data: -1,
    payload: isLobby ? lobby.payloadBytesMax : -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    disallow_bearer: true,
    conn,
    leaf: name === 'ACCESS' ? leafnodesMax * regions.length : 0,
  }
}

function serviceScopes(
  archipelago: Archipelago,
  account: string,
  keys: Readonly<Partial<Record<ServiceUser, AccountKey>>>,
): ScopedKey[] {
  return serviceUserNames(archipelago)
    .filter((user) => serviceUsers[user].account === account)
    .flatMap((user) => {
      const key = keys[user]
      const template = serviceUsers[user].ceiling(archipelago)
      return key === undefined ? [] : [scope(key, user, template, 'home: operator')]
    })
}

function leafnodeScopes({ roles }: Archipelago, regions: readonly RegionKeys[]): ScopedKey[] {
  return regions.flatMap(({ region, leafnode }) => {
    const template = leafnodeCeiling(openDoors(roles), region)
    return leafnode.map((key) => scope(key, `leafnode.${region}`, template, `home: ${region}`))
  })
}

/** Where a region is a cluster: it signs for itself who reads its servers' figures. */
function monitorScopes(regions: readonly RegionKeys[]): ScopedKey[] {
  return regions.flatMap(({ region, monitor = [] }) =>
    monitor.map((key) => scope(key, `monitor.${region}`, monitorCeiling, `home: ${region}`)),
  )
}

function roleScopes(
  { roles }: Archipelago,
  account: string,
  regions: readonly RegionKeys[],
): ScopedKey[] {
  return roles
    .filter((role) => role.account === account)
    .flatMap((role) => regions.flatMap((keys) => roleScopesOfRegion(role, keys)))
}

function roleScopesOfRegion(role: Role, { region, doors }: RegionKeys): ScopedKey[] {
  return openDoors([role]).flatMap((door) =>
    (doors[door]?.signingKeys[role.name] ?? []).map((key) =>
      scope(
        key,
        formatScopeName({ role: role.name, door, region }),
        roleCeiling(role, door),
        `home: ${region}`,
      ),
    ),
  )
}

/** Where a member's key lives and by which door it signs: `member.lobby.ams3`. */
export function formatScopeName(of: { role: string; door: FunctionDoor; region: string }): string {
  return `${of.role}.${of.door}.${of.region}`
}

/** Inverse of formatScopeName; undefined for the scopes of service users and leafnodes. */
export function parseScopeName(
  text: string,
): { role: string; door: FunctionDoor; region: string } | undefined {
  const [role, door, region] = text.split('.')
  if (role === undefined || region === undefined) return undefined
  return { role, door: door as FunctionDoor, region }
}

function scope(
  key: AccountKey,
  role: string,
  template: PermissionTemplate,
  description: string,
): ScopedKey {
  return { kind: 'user_scope', key, role, template, description }
}

function accessExports({ roles }: Archipelago): ServiceExport[] {
  const subjects = openDoors(roles).flatMap((door) => [
    ...askedSubjects(door, '*'),
    ...renewedSubjects(door, '*'),
  ])
  return [...new Set(subjects)].map(service)
}

function service(subject: string): ServiceExport {
  return { name: subject, subject, type: 'service' }
}

function imports({ roles }: Archipelago, name: string, access: AccountKey): ServiceImport[] {
  const shared = (subject: string): ServiceImport => ({
    name: subject,
    subject,
    account: access,
    type: 'service',
    share: true,
  })
  if (name === 'LEGACY')
    return [{ ...shared(accessSubject('legacy')), local_subject: accessSubject('lobby') }]
  if (name === 'LOBBY') {
    const asked = openDoors(roles).filter((door) => door !== 'legacy')
    return asked.flatMap((door) => askedSubjects(door, '*').map(shared))
  }
  const renewed = openDoors(roles.filter((role) => role.account === name))
  return renewed
    .filter((door) => door !== 'legacy')
    .flatMap((door) => renewedSubjects(door, '*').map(shared))
}
