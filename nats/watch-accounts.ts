// Accounts as the servers hold them, against what the operator declared; puts them back.
import type { NatsConnection } from '@nats-io/nats-core'
import type { WatchCode, WatchFinding } from '../core/network/watch-finding.ts'
import type { AccountJwt } from '../core/trust/account.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import type { DeclaredState } from '../core/trust/declared-state.ts'
import { compareAccount, type AccountDrift } from '../core/trust/push-rules.ts'
import { endOfTimeSeconds } from '../core/trust/revoke.ts'
import { readAccountState, type LiveServer } from './account-state.ts'
import { updateAccount } from './claims.ts'

interface Drifted {
  /** A server; resolvers do not say whose they are. */
  readonly holder: string | undefined
  readonly drift: Exclude<AccountDrift, 'same'> | 'missing'
  readonly iat: number | undefined
}

/** What was declared when it was looked at last: what is new since is no fault of the servers. */
export type SeenAccounts = Map<string, string>

/**
 * One finding for each way in which an account differs. Older and missing ones get the declared bytes again, a
 * foreign or equally old one those of a later `iat`, or servers would go on taking it from each other.
 * A newer one of our own operator is left alone: then it is the state here that is behind.
 */
export async function watchAccounts(
  connection: NatsConnection,
  state: DeclaredState,
  { servers, seen }: { servers: readonly LiveServer[]; seen: SeenAccounts },
): Promise<WatchFinding[]> {
  const { operator, accounts } = state.read()
  const found = accounts.map((declared) =>
    watchAccount(connection, state, { declared, operator, servers, seen }),
  )
  return (await Promise.all(found)).flat()
}

interface Watched {
  readonly declared: AccountJwt
  readonly operator: OperatorJwt
  readonly servers: readonly LiveServer[]
}

async function watchAccount(
  connection: NatsConnection,
  state: DeclaredState,
  { declared, operator, servers, seen }: Watched & { readonly seen: SeenAccounts },
): Promise<WatchFinding[]> {
  const name = declared.claims.name as string
  const drifted = await findDrifted(connection, { declared, operator, servers })
  // Another command changed it meanwhile, and is about to push it.
  if (drifted.length > 0 && declaredAccount(state, name).text !== declared.text) return []
  const isNew = seen.get(name) !== undefined && seen.get(name) !== declared.text
  seen.set(name, declared.text)
  if (drifted.length === 0) return []
  const measure = await mend(connection, state, { declared, drifted, servers })
  const kinds = new Set(drifted.map(({ drift }) => drift))
  const told = [...kinds].filter((drift) => !(isNew && (drift === 'older' || drift === 'missing')))
  return told.map((kind) =>
    describe(
      declared,
      drifted.filter(({ drift }) => drift === kind),
      measure,
    ),
  )
}

function declaredAccount(state: DeclaredState, name: string): AccountJwt {
  return state.read().accounts.find(({ claims }) => claims.name === name) as AccountJwt
}

async function findDrifted(
  connection: NatsConnection,
  { declared, operator, servers }: Watched,
): Promise<Drifted[]> {
  const { running, stored } = await readAccountState(connection, declared.claims.sub, { servers })
  const lacking = Math.max(0, servers.length - stored.length)
  const held = [...running, ...stored.map((text) => [undefined, text] as const)]
  const drifted = held.flatMap(([holder, text]) => {
    const { drift, iat } = compareAccount(declared, text, operator)
    return drift === 'same' ? [] : [{ holder, drift, iat }]
  })
  const missing = { holder: undefined, drift: 'missing', iat: undefined } as const
  return [...drifted, ...Array.from({ length: lacking }, () => missing)]
}

/** Nothing comes between reading what is declared and sending it: another command may push at any time. */
async function mend(
  connection: NatsConnection,
  state: DeclaredState,
  {
    declared,
    drifted,
    servers,
  }: {
    declared: AccountJwt
    drifted: readonly Drifted[]
    servers: readonly LiveServer[]
  },
): Promise<WatchFinding['measure']> {
  if (drifted.some(({ drift }) => drift === 'newer')) return 'none'
  const { name = '', iat } = declared.claims
  const overtaking = drifted
    .filter(({ drift }) => drift === 'foreign' || drift === 'same-second')
    .map((each) => each.iat ?? 0)
    .filter((other) => other >= iat && other < endOfTimeSeconds)
  if (overtaking.length > 0) state.outdate(name, Math.max(...overtaking))
  const patience = { expected: servers.length, stallMs: 1_000 }
  await updateAccount(connection, declaredAccount(state, name).text, patience)
  return overtaking.length > 0 ? 'signed anew and pushed' : 'pushed'
}

const codes: Record<Drifted['drift'], WatchCode> = {
  older: 'account-older',
  'same-second': 'account-foreign',
  foreign: 'account-foreign',
  newer: 'account-newer',
  missing: 'account-missing',
}
const words: Record<Drifted['drift'], string> = {
  older: 'an older one is held',
  'same-second': 'another one of the same second is held',
  foreign: 'one of a foreign operator is held',
  newer: 'a newer one of this operator, not declared here, is held',
  missing: 'it is missing',
}

function describe(
  { claims }: AccountJwt,
  drifted: readonly Drifted[],
  measure: WatchFinding['measure'],
): WatchFinding {
  const [first] = drifted
  const { drift, iat } = first as Drifted
  const times = iat === undefined ? '' : ` (issued at ${iat}, declared at ${claims.iat})`
  const message = `account ${claims.name}: ${words[drift]} by ${nameHolders(drifted)}${times}`
  return { code: codes[drift], subject: `${claims.name}`, message, measure }
}

function nameHolders(drifted: readonly Drifted[]): string {
  const servers = drifted.flatMap(({ holder }) => holder ?? [])
  const resolvers = drifted.length - servers.length
  const counted = resolvers === 0 ? [] : [`${resolvers} resolvers`]
  return [...servers, ...counted].join(', ')
}
