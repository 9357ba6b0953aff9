// Replaces an authority of certificates, or a root with all authorities below it, while the network
// runs; killed, it goes on where it was.
import { openFiles } from '../store/files.ts'
import { readApplied } from '../store/applied.ts'
import { Refusal } from '../core/errors.ts'
import { rollNetwork } from '../laptop/network/ask-network.ts'
import { describeRoll, type Rolled } from '../laptop/network/roll-network.ts'
import { kindOption } from './authority-options.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'roll-authority',
  'Replace an authority with overlap: the old one is withdrawn when every process has confirmed the new one. Run it again after it was cut off.',
)
  .option('--region <region>', "this region's authority")
  .option('--root', 'the root, and every authority below it')
  .addOption(kindOption())
  .option('--publish', 'with --root: only make the next one known; run it again without it')
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
  const rolled = dryRun
    ? await describeRoll({ ...place, archipelago }, request)
    : await rollNetwork({ ...place, archipelago }, request, report)
  if (json) return console.log(JSON.stringify(rolled, undefined, 2))
  for (const line of format(rolled)) console.log(line)
  if (dryRun) console.log(`next: ${nextSteps[rolled.stage]}`)
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

/** A region's request is written by then. */
const signElsewhere =
  'sign the region’s request with sign-region --laptop, then run it again; a root: docs/operations.md'

runCommand(command.name(), main, {
  ERR_OPTION_ILLEGAL: 'npx node scripts/roll-authority.ts --help',
  ERR_KEY_NOT_HERE: signElsewhere,
  ERR_PASSPHRASE_MISSING: signElsewhere,
  ERR_RELOAD_FAILED: 'look at the log of the named server, then run it again: it goes on',
  ERR_NOT_MESHED: 'look with verify-supercluster what is missing, then run it again: it goes on',
})
