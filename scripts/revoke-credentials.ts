// Takes credentials back: by key, by name, by invite. Written down first, then enforced everywhere.
import type { LiveConnection } from '../core/access/live-connection.ts'
import { Refusal } from '../core/errors.ts'
import type { Revoked } from '../core/trust/declared-state.ts'
import { parseNkey } from '../core/trust/nkey.ts'
import type { NatsConnection } from '../nats/connect.ts'
import {
  enforceRevocation,
  findTargets,
  type RevocationReport,
} from '../nats/enforce-revocation.ts'
import { collect, networkCommand, openPlace, runCommand } from './command.ts'
import { describeDenyListPush, describePush } from './describe-push.ts'
import { openOperatorSession, type OperatorSession } from './operator-session.ts'

const command = networkCommand(
  'revoke-credentials',
  'Cut who has a credential, and give no other. Exits with 0 when every server and function follows.',
)
  .option('--nkey <key>', 'a user key; repeat it for more', collect)
  .option('--name <name>', 'the name, and every key that is connected by it', collect)
  .option('--ticket <id>', "an invite, by its ticket's id, and every key that came by it", collect)
  .option('--account <name>', "where keys are revoked (default: the roles' accounts)", collect)
  .option('--dry-run', 'change nothing, say who would be cut')
  .option('--json', 'print the result as JSON')

async function main(): Promise<void> {
  const {
    dryRun,
    json,
    nkey = [],
    name = [],
    ticket = [],
    account,
    ...where
  } = command.parse().opts()
  if (nkey.length + name.length + ticket.length === 0)
    throw new Refusal('ERR_REVOCATION_EMPTY', 'nobody is named: give --nkey, --name or --ticket')
  const session = openOperatorSession(openPlace(where))
  const target: Revoked = {
    nkeys: nkey.map((each) => parseNkey('user', each)),
    names: name,
    tickets: ticket.map((id) => id.toUpperCase()),
    accounts: requireAccounts(session, account),
  }
  if (dryRun) return showFound(await find(session, target), json)
  // Before anything is asked of the network: what cannot be reached now learns it later.
  session.state.revoke(target)
  showReport(await enforce(session, target), json)
}

function requireAccounts(
  { archipelago, state }: OperatorSession,
  wanted: readonly string[] | undefined,
): readonly string[] {
  const known = state.read().accounts.map(({ claims }) => claims.name as string)
  const unknown = wanted?.find((name) => !known.includes(name))
  if (unknown === undefined) return wanted ?? archipelago.accounts.map(({ name }) => name)
  throw new Refusal('ERR_ACCOUNT_UNKNOWN', `no account ${unknown} (${known.join(', ')})`)
}

async function find(session: OperatorSession, target: Revoked): Promise<readonly LiveConnection[]> {
  const pusher = await session.connectAs('pusher')
  try {
    return (await findTargets({ pusher }, target, session)).found
  } finally {
    await pusher.close()
  }
}

async function enforce(session: OperatorSession, target: Revoked): Promise<RevocationReport> {
  await using connections = new AsyncDisposableStack()
  const connect = async (user: 'pusher' | 'access-operator'): Promise<NatsConnection> =>
    connections.adopt(await session.connectAs(user), (connection) => connection.close())
  const enforcers = { pusher: await connect('pusher'), access: await connect('access-operator') }
  return await enforceRevocation(enforcers, target, session)
}

function showFound(found: readonly LiveConnection[], json: true | undefined): void {
  const lines = found.map(({ server, cid, nkey, claims }) => ({
    server: server.name,
    connection: cid,
    nkey,
    name: claims?.name,
  }))
  if (json) console.log(JSON.stringify({ isDryRun: true, connections: lines }, undefined, 2))
  else if (lines.length === 0) console.log('nobody is connected by it')
  else
    for (const { server, connection, nkey, name } of lines)
      console.log(`would cut ${nkey} (${name}), connection ${connection} of ${server}`)
}

function showReport(report: RevocationReport, json: true | undefined): void {
  if (!report.isDone) process.exitCode = 1
  const { nkeys, accounts, denyList, kicked, unread, isDone } = report
  if (json) {
    const cids = kicked.map(({ server, cid, nkey }) => ({ server: server.name, cid, nkey }))
    return console.log(JSON.stringify({ ...report, kicked: cids }, undefined, 2))
  }
  for (const nkey of nkeys) console.log(`revoked ${nkey}`)
  for (const push of accounts) for (const line of describePush(push)) console.log(line)
  for (const line of describeDenyListPush(denyList)) console.log(line)
  for (const { server, nkey } of kicked) console.log(`kicked ${nkey} from ${server.name}`)
  for (const name of unread) console.log(`  ${name}: does not list its connections`)
  if (!isDone) console.error('not everywhere yet: look at the named ones, then run it again')
}

runCommand(command.name(), main, {
  ERR_CONNECT: 'it is written down; start the network or mend the way to it, then run it again',
  ERR_ACCOUNT_OLDER:
    'the servers hold something newer: bring this state up to date (git, restore-trust), then run it again',
  ERR_REVOCATIONS_FULL: 'replace the signing key with npx node scripts/rotate-signing-key.ts',
})
