// Makes the two roots of a network, or that of a mesh. What they sign is a region's authority, every 60 days, so their keys
// lie encrypted, or somewhere else altogether.
import { Option } from '@commander-js/extra-typings'
import { allKinds, authorityKinds } from '../core/identity/authority.ts'
import { ensureRoot, type EnsuredRoot, type RootKey } from '../store/root.ts'
import { describeCertificate, openStore, rootKeyIn } from './authority-options.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'
import { once, readPassphrase } from './passphrase.ts'

const command = networkCommand(
  'make-root',
  'Make the roots that sign the authorities of regions; changes nothing where there is one.',
)
  .addOption(
    new Option('--kind <kind>', 'which one; both are those of the network, without meshes')
      .choices([...allKinds, 'both'] as const)
      .default('both' as const),
  )
  .option('--passphrase-file <file>', 'where the passphrase is, instead of asking for it')
  .option(
    '--key-dir <dir>',
    'a folder outside the repository for the keys, plain unless there is a passphrase file',
  )
  .option('--dry-run', 'change nothing, say what would be made')
  .option('--json', 'print the roots as JSON')

async function main(): Promise<void> {
  const { kind, passphraseFile, keyDir, dryRun: isDryRun, json, ...where } = command.parse().opts()
  const place = openPlace(where)
  const isPlain = keyDir !== undefined && passphraseFile === undefined
  const ask = once(() => readPassphrase(passphraseFile, { isNew: true }))
  const store = openStore(place, { isDryRun })
  const made = []
  for (const each of kind === 'both' ? authorityKinds : [kind]) {
    const file = keyDir && rootKeyIn(keyDir, place, each)
    const key: RootKey = { file, ...(!isPlain && !isDryRun && { passphrase: ask }) }
    made.push({ kind: each, ...describe(await ensureRoot(store, each, key)) })
  }
  if (json) return console.log(JSON.stringify({ roots: made, isDryRun: isDryRun ?? false }))
  for (const root of made) console.log(show(root, isDryRun))
  if (isDryRun || made.every(({ isMade }) => !isMade)) return
  console.log('keep the keys away from machines that are reached from outside, and a copy of them')
}

const describe = ({ certificate, keyFile, isMade }: EnsuredRoot) => ({
  ...{ isMade, ...(isMade && { keyFile }) },
  ...describeCertificate(certificate),
})

type Described = ReturnType<typeof describe> & { readonly kind: string }

function show({ kind, isMade, keyFile, sha256, notAfter }: Described, isDryRun?: true): string {
  if (!isMade) return `${kind} root is there: sha256 ${sha256}, until ${notAfter}`
  if (isDryRun) return `${kind} root would be made, its key at ${keyFile}`
  return `${kind} root made: sha256 ${sha256}, until ${notAfter}, its key at ${keyFile}`
}

runCommand(command.name(), main)
