// Brings homes back from the file that backup-trust wrote.
import { decrypt } from '../store/age.ts'
import { unpackBackup } from '../store/backup.ts'
import { readBytes } from '../store/files.ts'
import { restoreHomes } from '../store/restore.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'
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
  const { archipelago, data } = openPlace(where)
  const encrypted = readBytes(from, 'backup')
  const passphrase = await readPassphrase(passphraseFile, { isNew: false })
  const backup = unpackBackup(
    Buffer.from(await decrypt(encrypted, passphrase)),
    archipelago.network,
  )
  const restored = restoreHomes(data, backup, { isForced, isDryRun })
  if (json) return console.log(JSON.stringify({ ...backup.manifest, isDryRun, restored }))
  const said = isDryRun ? 'would be restored' : 'restored'
  for (const { home, isChanged, replaced } of restored) {
    console.log(`${home}: ${isChanged ? said : 'nothing to restore'}`)
    if (replaced !== undefined)
      console.log(`  what was there lies in ${replaced}: remove it in time`)
  }
  console.log('run bootstrap-trust next: it signs what archipelago.yaml says now')
}

runCommand(command.name(), main, {
  ERR_KEY_OTHER: 'make sure which keys are in use, then restore with --force',
})
