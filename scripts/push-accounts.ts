// Pushes the account JWTs that the operator's state holds to every server, and tells what each runs.
import { expectedServers } from '../core/network/expected.ts'
import { Refusal } from '../core/errors.ts'
import type { AccountJwt } from '../core/trust/account.ts'
import { requirePushable } from '../core/trust/push-rules.ts'
import { pushAccounts, type AccountPush } from '../nats/push-accounts.ts'
import { describePush } from './describe-push.ts'
import { collect, networkCommand, openPlace, runCommand } from './command.ts'
import { openOperatorSession } from './operator-session.ts'

const command = networkCommand(
  'push-accounts',
  'Bring every server to the account JWTs in public/accounts. Exits with 0 when each runs them.',
)
  .option('--account <name>', 'only this one; repeat it for more (default: all)', collect)
  .option('--dry-run', 'check the accounts, push nothing')
  .option('--json', 'print the result as JSON')

async function main(): Promise<void> {
  const { account: wanted, dryRun, json, ...where } = command.parse().opts()
  const { archipelago, state, connectAs } = openOperatorSession(openPlace(where))
  const { operator, accounts } = state.read()
  const chosen = choose(accounts, wanted)
  for (const { text } of chosen) requirePushable(text, { operator, held: [] })
  if (dryRun) return showPlan(chosen, json)
  const pusher = await connectAs('pusher')
  try {
    const texts = chosen.map(({ text }) => text)
    const servers = expectedServers(archipelago)
    show(await pushAccounts(pusher, { operator, accounts: texts, expectedServers: servers }), json)
  } finally {
    await pusher.close()
  }
}

function choose(accounts: readonly AccountJwt[], wanted?: readonly string[]): AccountJwt[] {
  const names = accounts.map(({ claims }) => claims.name as string)
  const unknown = wanted?.find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new Refusal('ERR_ACCOUNT_UNKNOWN', `no account ${unknown} (${names.join(', ')})`)
  return accounts.filter(({ claims }) => wanted?.includes(claims.name as string) ?? true)
}

function showPlan(accounts: readonly AccountJwt[], json: true | undefined): void {
  const plan = accounts.map(({ claims }) => ({
    account: claims.name,
    publicKey: claims.sub,
    iat: claims.iat,
  }))
  if (json) console.log(JSON.stringify({ isDryRun: true, accounts: plan }, undefined, 2))
  else
    for (const { account, publicKey, iat } of plan)
      console.log(`would push ${account} ${publicKey}, issued at ${iat}`)
}

function show(pushes: readonly AccountPush[], json: true | undefined): void {
  const isDone = pushes.every((push) => push.isDone)
  if (!isDone) process.exitCode = 1
  if (json) console.log(JSON.stringify({ isDone, accounts: pushes }, undefined, 2))
  else for (const push of pushes) for (const line of describePush(push)) console.log(line)
}

runCommand(command.name(), main, {
  ERR_ACCOUNT_OLDER:
    'the servers hold something newer: bring this state up to date (git, restore-trust), then push again',
  ERR_ACCOUNT_OPENS_ALL: 'sign the account anew with npx node scripts/bootstrap-trust.ts',
})
