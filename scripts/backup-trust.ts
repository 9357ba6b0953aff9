// Writes the keys and state of homes that are here into one encrypted file.
import { resolve } from 'node:path'
import { encrypt } from '../store/age.ts'
import { findHomes, packBackup, readHomes, type Manifest } from '../store/backup.ts'
import { openFiles, writeNewPrivate } from '../store/files.ts'
import { collect, networkCommand, nowSeconds, openPlace, runCommand } from './command.ts'
import { readPassphrase } from './passphrase.ts'

const command = networkCommand(
  'backup-trust',
  'Write keys and state into one file, encrypted with a passphrase (age -d opens it, too).',
)
  .option('--home <home>', 'operator or a region; repeat it for more (default: all here)', collect)
  .requiredOption('--out <file>', 'where to write it; never overwritten')
  .option('--passphrase-file <file>', 'where the passphrase is, instead of asking for it')
  .option('--json', 'print what was written as JSON')

async function main(): Promise<void> {
  const { home, out, passphraseFile, json, ...where } = command.parse().opts()
  const { archipelago, homes } = openPlace(where)
  const here = findHomes({ files: openFiles(), homes, archipelago }, home)
  const madeAt = new Date(nowSeconds() * 1000).toISOString()
  const manifest: Manifest = { version: 1, network: archipelago.network, homes: here, madeAt }
  const backup = readHomes(homes, manifest)
  const passphrase = await readPassphrase(passphraseFile, { isNew: true })
  const file = resolve(out)
  writeNewPrivate(file, await encrypt(packBackup(backup), passphrase))
  if (json) return console.log(JSON.stringify({ file, ...manifest, files: backup.files.length }))
  console.log(`${file}: ${backup.files.length} files of ${here.join(', ')}`)
  console.log('keep it and its passphrase apart; restore-trust brings it back')
}

runCommand(command.name(), main)
