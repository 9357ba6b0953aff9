// Takes authorities of a region out before their end: stolen ones, and those that a newer one has taken
// the place of. While the network runs from here roll-authority does both.
import { requireFree } from '../laptop/control/open-control.ts'
import { Refusal } from '../core/errors.ts'
import { isMesh } from '../core/identity/authority.ts'
import { intermediatesFile } from '../store/authority-files.ts'
import {
  planWithdrawal,
  withdrawAuthorities,
  type Withdrawal,
} from '../store/withdraw-authority.ts'
import {
  authorityPlace,
  describeCertificate,
  anyKindOption,
  openStore,
} from './authority-options.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'withdraw-authority',
  'Trust authorities of a region no more: all but the newest, or the one that is named. For good.',
)
  .requiredOption('--region <region>', 'whose authorities they are')
  .addOption(anyKindOption())
  .option('--sha256 <digest>', 'this one, whichever is the newest: verify-peer prints digests')
  .option('--yes', 'also where it cuts off the region')
  .option('--dry-run', 'change nothing, say what would go')
  .option('--json', 'print what went as JSON')

async function main(): Promise<void> {
  const { sha256, yes, dryRun: isDryRun = false, json, ...options } = command.parse().opts()
  const opened = openPlace(options)
  const store = openStore(opened, { isDryRun })
  const { region, kind } = authorityPlace(options)
  if (!opened.archipelago.regions.some(({ name }) => name === region))
    throw new Refusal('ERR_REGION_UNKNOWN', `unknown region: '${region}'`)
  await requireFree(store.homes.run)
  const withdrawal = planWithdrawal(store, { region, kind }, sha256)
  const { gone, left, harm } = withdrawal
  if (harm !== undefined && !yes && !isDryRun) throw new Refusal('ERR_AUTHORITY_NEEDED', harm)
  withdrawAuthorities(store, { region, kind }, withdrawal)
  const described = { gone: gone.map(describeCertificate), left: left.map(describeCertificate) }
  if (json) return console.log(JSON.stringify({ region, kind, ...described, harm, isDryRun }))
  for (const line of show(withdrawal, isDryRun)) console.log(line)
  if (isDryRun || gone.length === 0) return
  console.log(`published: ${intermediatesFile(store.homes.public, kind, region)}`)
  for (const line of isMesh(kind) ? meshSteps : nextSteps[kind]) console.log(`next: ${line}`)
}

function show({ gone, left, harm }: Withdrawal, isDryRun: boolean): string[] {
  const verb = isDryRun ? 'would be withdrawn' : 'withdrawn'
  const lines = (certificates: Withdrawal['gone'], what: string) =>
    certificates.map(describeCertificate).map(({ sha256, notAfter }) => {
      return `${what}: sha256 ${sha256}, until ${notAfter}`
    })
  const warning = harm === undefined || gone.length === 0 ? [] : [`that cuts off: ${harm}`]
  return [...lines(gone, verb), ...lines(left, 'left'), ...warning]
}

/** Functions read the bundles by themselves; nats-servers read a file when they are told to. */
const nextSteps = {
  identity: [
    'bring the public folder to every region, and reload every server with what is left in its ca_file',
    'restart the servers one after the other: routes and gateways are never asked again (verify-peer --all)',
    'the same command in the region’s own home: what git brings back is refused there, too',
  ],
  public: [
    'bring the public folder to the region, and reload its servers',
    'outside clients trust the root and not this file: roll-authority --root --kind public ends what was stolen',
  ],
} as const

const meshSteps = [
  'bring the public folder to the region: answer-authority fills it in no more',
  'a mesh trusts its root, and reads no list of the withdrawn: until its end what was stolen is believed there',
]

runCommand(command.name(), main, {
  ERR_ALREADY_RUNNING: 'replace it with roll-authority, which withdraws the old one, too',
  ERR_AUTHORITY_NEEDED:
    'replace it first: request-authority --replace, sign-region, request-authority; or agree with --yes',
  ERR_AUTHORITY_OTHER: 'look with --dry-run at those that are there',
  ERR_KEY_NOT_HERE: 'run it where the operator has his home, or the region has its own',
})
