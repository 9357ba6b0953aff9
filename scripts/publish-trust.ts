// Brings what is published of the trust into the manifests of a clone: after apply, revoke-credentials or any
// other command that signs. It only goes forward.
import { manifestsOption, publishTrust, showPublished } from './adoption/publish.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'publish-trust',
  'Write what the operator signed into manifests/trust, for every region; nothing goes back.',
)
  .addOption(manifestsOption())
  .option('--dry-run', 'change nothing, say what would be written')
  .option('--json', 'print what was written as JSON')

async function main(): Promise<void> {
  const { manifests, dryRun: isDryRun = false, json, ...where } = command.parse().opts()
  const written = publishTrust(openPlace(where), manifests, { isDryRun })
  if (json) return console.log(JSON.stringify({ written, isDryRun }, undefined, 2))
  for (const line of showPublished(written, { isDryRun })) console.log(line)
}

runCommand(command.name(), main, {
  ERR_OPERATOR_OTHER: 'name the data folder of that operator with --data-dir',
  ERR_MANIFEST_OLDER: 'bring your clone and your data folder up to date (git pull, restore-trust)',
})
