// Takes credentials back: by key, by name, by invite. Written down first, then enforced everywhere.
import { Refusal } from '../core/errors.ts'
import type { Revoked } from '../core/trust/declared-state.ts'
import { parseNkey } from '../core/trust/nkey.ts'
import { publishTrust } from './adoption/publish.ts'
import { collect, networkCommand, openPlace, runCommand } from './command.ts'
import { openOperatorSession, type OperatorSession } from './operator-session.ts'
import { enforce, find, showFound, showReport } from './revocation/enforce.ts'

const command = networkCommand(
  'revoke-credentials',
  'Cut who has a credential, and give no other. Exits with 0 when every server and function follows.',
)
  .option('--nkey <key>', 'a user key; repeat it for more', collect)
  .option('--name <name>', 'the name, and every key that is connected by it', collect)
  .option('--ticket <id>', "an invite, by its ticket's id, and every key that came by it", collect)
  .option('--account <name>', "where keys are revoked (default: the roles' accounts)", collect)
  .option('--manifests <dir>', 'write manifests/trust of your clone there, too')
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
    manifests,
    ...where
  } = command.parse().opts()
  if (nkey.length + name.length + ticket.length === 0)
    throw new Refusal('ERR_REVOCATION_EMPTY', 'nobody is named: give --nkey, --name or --ticket')
  const place = openPlace(where)
  const session = openOperatorSession(place)
  const target: Revoked = {
    nkeys: nkey.map((each) => parseNkey('user', each)),
    names: name,
    tickets: ticket.map((id) => id.toUpperCase()),
    accounts: requireAccounts(session, account),
  }
  if (dryRun) return showFound(await find(session, target), json)
  // Before anything is asked of the network: what cannot be reached now learns it later.
  session.state.revoke(target)
  if (manifests !== undefined) publishTrust(place, manifests)
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

runCommand(command.name(), main, {
  ERR_CONNECT: 'it is written down; start the network or mend the way to it, then run it again',
  ERR_ACCOUNT_OLDER:
    'the servers hold something newer: bring this state up to date (git, restore-trust), then run it again',
  ERR_REVOCATIONS_FULL: 'replace the signing key with npx node scripts/rotate-signing-key.ts',
})
