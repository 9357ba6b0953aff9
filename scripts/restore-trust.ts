// Brings homes back from the file that backup-trust wrote, where nobody works with them.
import { openControl, requireFree } from '../laptop/control/open-control.ts'
import { decrypt } from '../store/age.ts'
import { unpackBackup, type Backup } from '../store/backup.ts'
import { readBytes } from '../store/files.ts'
import { restoreHomes, type RestoredHome } from '../store/restore.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'
import { readPassphrase } from './passphrase.ts'

const command = networkCommand('restore-trust', 'Bring keys and state back from a backup.')
  .requiredOption('--from <file>', 'what backup-trust wrote')
  .option('--passphrase-file <file>', 'where the passphrase is, instead of asking for it')
  .option('--force', 'put other keys that are here aside')
  .option('--dry-run', 'change nothing, say what would be restored')
  .option('--json', 'print what was restored as JSON')

async function main(): Promise<void> {
  const { from, passphraseFile, json, ...options } = command.parse().opts()
  const { force: isForced = false, dryRun: isDryRun = false, ...where } = options
  const place = openPlace(where)
  await requireFree(place.homes.run)
  const encrypted = readBytes(from, 'backup')
  const passphrase = await readPassphrase(passphraseFile, { isNew: false })
  const backup = unpackBackup(
    Buffer.from(await decrypt(encrypted, passphrase)),
    place.archipelago.network,
  )
  const restored = await restore(place, backup, { isForced, isDryRun })
  if (json) return console.log(JSON.stringify({ ...backup.manifest, isDryRun, restored }))
  const said = isDryRun ? 'would be restored' : 'restored'
  for (const { home, isChanged, replaced } of restored) {
    console.log(`${home}: ${isChanged ? said : 'nothing to restore'}`)
    if (replaced !== undefined)
      console.log(`  what was there lies in ${replaced}: remove it in time`)
  }
  console.log('run bootstrap-trust next: it signs what archipelago.yaml says now')
}

/** Nobody starts a network, or applies an edit, while homes change under it. */
async function restore(
  { data, homes }: Place,
  backup: Backup,
  { isForced, isDryRun }: { isForced: boolean; isDryRun: boolean },
): Promise<RestoredHome[]> {
  const planned = restoreHomes(data, backup, { isForced, isDryRun: true })
  if (isDryRun) return planned
  await using _held = await openControl(homes.run)
  return restoreHomes(data, backup, { isForced })
}

runCommand(command.name(), main, {
  ERR_ALREADY_RUNNING:
    'end the network with Ctrl-C where it was started, restore, then start it again',
  ERR_KEY_OTHER: 'make sure which keys are in use, then restore with --force',
})
