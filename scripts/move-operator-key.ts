// Takes the operator's identity key out of the store, and brings it back: daily work does without it.
import { join, resolve } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { openFiles } from '../store/files.ts'
import { moveIdentityKey, returnIdentityKey } from '../store/identity-key.ts'
import { keyFile } from '../store/nsc.ts'
import { readOperatorHome, type OperatorHome } from '../store/operator.ts'
import { requireOutside } from '../store/place.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'move-operator-key',
  "Move the operator's identity key to another place, such as a disk that is kept offline.",
)
  .option('--to <folder>', 'where it shall lie')
  .option('--back <folder>', 'where it lies, to bring it back')
  .option('--dry-run', 'move nothing, say from where to where')
  .option('--json', 'print where it lies as JSON')

async function main(): Promise<void> {
  const { to, back, dryRun, json, ...where } = command.parse().opts()
  const { archipelago, homes, data } = openPlace(where)
  if ((to === undefined) === (back === undefined))
    throw new Refusal('ERR_OPTION_ILLEGAL', 'one of --to and --back is needed, not both')
  const operator = readOperatorHome({ files: openFiles(), homes, archipelago })
  const folder = resolve(to ?? back ?? '')
  requireOutside(folder, [{ path: data, what: 'the data folder' }])
  if (dryRun) return showPlan(operator, { folder, isBack: to === undefined })
  const move = to === undefined ? returnIdentityKey : moveIdentityKey
  const { key, path, isMoved } = move(operator, folder)
  if (json) return console.log(JSON.stringify({ key, path, isMoved }))
  console.log(`operator's identity key ${key} ${isMoved ? 'lies now' : 'lay already'} at ${path}`)
  if (to !== undefined)
    console.log('everything but a new operator JWT works without it; keep a second copy elsewhere')
}

function showPlan(
  { store, operator }: OperatorHome,
  { folder, isBack }: { folder: string; isBack: boolean },
): void {
  const key = operator.claims.sub as Nkey<'operator'>
  const [home, there] = [keyFile(store, key), join(folder, `${key}.nk`)]
  const [from, to] = isBack ? [there, home] : [home, there]
  console.log(`would move ${from} to ${to}`)
}

runCommand(command.name(), main, {
  ERR_KEY_NOT_HERE: 'name the folder where it lies now with --back, or bring a backup back',
  ERR_KEY_OTHER: 'name another folder',
  ERR_OPTION_ILLEGAL: 'see --help',
  ERR_STORE_UNWRITABLE: 'the key still lies where it was: name a folder that can be written',
})
