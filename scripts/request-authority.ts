// A region's side of its authority: makes the key where it stays, writes the request, and adopts the
// certificate when the operator has signed it.
import { authorityProfile } from '../core/identity/authority.ts'
import { advanceAuthority } from './advance-authority.ts'
import { authorityPlace, kindOption, openStore } from './authority-options.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'request-authority',
  "In a region's home: request its authority, and adopt it when it is signed. Run it again for that.",
)
  .requiredOption('--region <region>', 'whose home is here')
  .addOption(kindOption())
  .option('--laptop', 'for processes of one machine: loopback addresses')
  .option(
    '--replace',
    'request the next one though the one in use is good: stolen, or of an old root',
  )
  .option('--certificate <file>', 'what was signed, where it is not in the public folder yet')
  .option('--dry-run', 'change nothing, say what would be done')
  .option('--json', 'print the outcome as JSON')

async function main(): Promise<void> {
  const { certificate, replace, dryRun: isDryRun, json, ...options } = command.parse().opts()
  const opened = openPlace(options)
  const store = openStore(opened, { isDryRun })
  const place = authorityPlace(options)
  authorityProfile(opened.archipelago, place)
  const outcome = advanceAuthority(store, place, { file: certificate, isReplaced: replace })
  if (json) return console.log(JSON.stringify({ ...outcome, isDryRun: isDryRun ?? false }))
  const { state, request, keySha256: key, sha256, notAfter } = outcome
  if (state === 'requested') {
    const verb = isDryRun ? 'would request' : 'requested'
    return console.log(
      `${verb}: have ${request} signed with sign-region, and tell its key by another way: sha256 ${key}`,
    )
  }
  const verb = isDryRun && state === 'adopted' ? 'would be adopted' : state
  console.log(
    `${verb}: ${place.kind} authority of ${place.region}: sha256 ${sha256}, until ${notAfter}`,
  )
}

runCommand(command.name(), main, {
  ERR_STORE_UNREADABLE: 'name the file that sign-region wrote, with --certificate',
  ERR_CHAIN_UNTRUSTED: "bring the operator's public folder here first: the roots are in it",
  ERR_AUTHORITY_KEY: "have the request signed that lies here, next to the region's new key",
  ERR_AUTHORITY_CONSTRAINTS:
    'have it signed with the same archipelago.yaml, and with --laptop on both sides or on neither',
})
