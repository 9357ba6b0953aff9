// Replaces the signing key of the operator that is in use: the spare one takes over, a new one is spare.
import { openFiles } from '../store/files.ts'
import { planOperatorKey, replaceOperatorKey } from '../store/operator-rotation.ts'
import { networkCommand, nowSeconds, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'rotate-operator-key',
  "Replace the operator's signing key in use, after a leak at the latest; needs the identity key.",
)
  .option('--dry-run', 'change nothing, say which key would be replaced')
  .option('--json', 'print the keys as JSON')

async function main(): Promise<void> {
  const { dryRun, json, ...where } = command.parse().opts()
  const { archipelago, homes } = openPlace(where)
  const options = { files: openFiles(), homes, archipelago, nowSeconds: nowSeconds() }
  if (dryRun) {
    const { old, current } = planOperatorKey(options)
    return console.log(`${current} would sign in place of ${old}`)
  }
  const { old, current, spare } = replaceOperatorKey(options)
  if (json) return console.log(JSON.stringify({ old, current, spare }))
  console.log(`${current} signs in place of ${old}; ${spare} is spare`)
  console.log('invites that were signed before are over')
  console.log('next: push-accounts, for servers know the spare key already;')
  console.log(
    'then start every server anew, for none reloads an operator JWT, and hand out the new',
  )
  console.log(`${archipelago.network}.lobby.json`)
}

runCommand(command.name(), main)
