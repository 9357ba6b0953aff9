// Replaces an authority of certificates, or a root with all authorities below it, while the network
// runs; killed, it goes on where it was.
import { openFiles } from '../store/files.ts'
import { readApplied } from '../store/applied.ts'
import { Refusal } from '../core/errors.ts'
import { rollNetwork } from '../laptop/network/ask-network.ts'
import { describeRoll, type Rolled } from '../laptop/network/roll-network.ts'
import type { AuthorityKind } from '../core/identity/authority.ts'
import type { NextRootKey } from '../store/roll-root.ts'
import { kindOption, rootKeyIn } from './authority-options.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'
import { once, readPassphrase } from './passphrase.ts'

const command = networkCommand(
  'roll-authority',
  'Replace an authority with overlap: the old one is withdrawn when every process has confirmed the new one. Run it again after it was cut off.',
)
  .option('--region <region>', "this region's authority")
  .option('--root', 'the root, and every authority below it')
  .addOption(kindOption())
  .option('--publish', 'with --root: only make the next one known; run it again without it')
  .option('--passphrase-file <file>', 'where the passphrase of the root is, instead of asking')
  .option('--key-dir <dir>', "the folder of the root's key, where it is not in the operator's home")
  .option('--dry-run', 'change nothing, say what is there and what comes next')
  .option('--json', 'print what is there afterwards as JSON')

async function main(): Promise<void> {
  const options = command.parse().opts()
  const { region, root, kind, publish: isOnlyPublished, dryRun, json } = options
  if ((region === undefined) === (root === undefined))
    throw new Refusal('ERR_OPTION_ILLEGAL', 'name one region with --region, or --root')
  if (isOnlyPublished && !root)
    throw new Refusal('ERR_OPTION_ILLEGAL', '--publish is for --root alone')
  const place = openPlace(options)
  const archipelago = readApplied(openFiles(), place.homes) ?? place.archipelago
  const request = { kind, region, isOnlyPublished }
  const report = (line: string): void => console.error(`• ${line}`)
  const where = { ...place, archipelago }
  const rolled = dryRun
    ? describeRoll(where, request)
    : await rollNetwork(where, request, { key: keyOf(place, options), report })
  if (json) return console.log(JSON.stringify(rolled, undefined, 2))
  for (const line of format(rolled)) console.log(line)
  if (dryRun) console.log(`next: ${nextSteps[rolled.stage]}`)
}

interface KeyOptions {
  readonly kind: AuthorityKind
  readonly passphraseFile?: string | undefined
  readonly keyDir?: string | undefined
}

/** The passphrase is asked for where a key is under one; a file of it puts the next key under one, too. */
function keyOf(place: Place, { kind, passphraseFile, keyDir }: KeyOptions): NextRootKey {
  const isSealed = passphraseFile !== undefined
  return {
    file: keyDir && rootKeyIn(keyDir, place, kind),
    passphrase: once(() => readPassphrase(passphraseFile, { isNew: isSealed })),
    isSealed,
  }
}

const nextSteps: Record<Rolled['stage'], string> = {
  steady: 'make another one, publish it beside this one, and wait for every process',
  published: 'wait for every process, and let the next one sign',
  adopted: 'renew what the old one signed, and withdraw it',
}

function format({ roots, authorities }: Rolled): string[] {
  return [
    `root: ${roots.join(', before it ')}`,
    ...authorities.map(({ region, serials }) => `${region}: ${serials.join(', before it ')}`),
  ]
}

const keyElsewhere =
  'name the folder of the root’s key with --key-dir; or sign the region’s request with sign-region --laptop, and run it again'

runCommand(command.name(), main, {
  ERR_OPTION_ILLEGAL: 'npx node scripts/roll-authority.ts --help',
  ERR_KEY_NOT_HERE: keyElsewhere,
  ERR_PASSPHRASE_MISSING:
    'name its file with --passphrase-file; or sign the region’s request with sign-region --laptop, and run it again',
  ERR_AUTHORITY_UNSIGNED:
    'for each: request-authority --replace, sign-region, request-authority, withdraw-authority; then run it again: it goes on',
  ERR_HOME_ELSEWHERE:
    'for it: request-authority --replace, sign-region, request-authority, withdraw-authority',
  ERR_RELOAD_FAILED: 'look at the log of the named server, then run it again: it goes on',
  ERR_NOT_MESHED: 'look with verify-supercluster what is missing, then run it again: it goes on',
})
