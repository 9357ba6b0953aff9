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
  .option('--json', 'print what was restored as JSON')

async function main(): Promise<void> {
  const { from, passphraseFile, force: isForced = false, json, ...where } = command.parse().opts()
  const { archipelago, data } = openPlace(where)
  const encrypted = readBytes(from, 'backup')
  const passphrase = await readPassphrase(passphraseFile, { isNew: false })
  const backup = unpackBackup(
    Buffer.from(await decrypt(encrypted, passphrase)),
    archipelago.network,
  )
  const restored = restoreHomes(data, backup, { isForced })
  if (json) return console.log(JSON.stringify({ ...backup.manifest, restored }))
  for (const { home, isChanged, replaced } of restored) {
    console.log(`${home}: ${isChanged ? 'restored' : 'nothing to restore'}`)
    if (replaced !== undefined)
      console.log(`  what was there lies in ${replaced}: remove it in time`)
  }
  console.log('run bootstrap-trust next: it signs what archipelago.yaml says now')
}

runCommand(command.name(), main, {
  ERR_KEY_OTHER: 'make sure which keys are in use, then restore with --force',
})
