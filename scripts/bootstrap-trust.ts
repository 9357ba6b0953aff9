// Makes the keys whose home is here and signs what archipelago.yaml says; run again, changes nothing.
import { join } from 'node:path'
import { formatPlan } from '../core/plan/format.ts'
import type { Plan } from '../core/plan/plan.ts'
import {
  bootstrapHomes,
  readRegionKeys,
  type Bootstrapped,
  type WantedHomes,
} from '../store/bootstrap.ts'
import { openFiles } from '../store/files.ts'
import { planTrust, requireTrustAgreed } from '../store/plan-trust.ts'
import { describeTrust, type TrustReport } from '../store/trust-report.ts'
import { withTrustLock } from '../store/trust-lock.ts'
import { deleteWithdrawnKeys } from '../store/withdrawn.ts'
import { publishTrust } from './adoption/publish.ts'
import { agreeTo } from './agree-to.ts'
import {
  collect,
  networkCommand,
  nowSeconds,
  openPlace,
  runCommand,
  type Place,
} from './command.ts'

const command = networkCommand(
  'bootstrap-trust',
  'Make operator, accounts, signing keys and service users: only the keys whose home is here.',
)
  .option('--home <home>', 'operator or a region; repeat it for more (default: all here)', collect)
  .option('--adopt <file>', "public.json of a region's home; repeat it for more", collect)
  .option('--yes', 'agree to what an edit of archipelago.yaml withdraws')
  .option('--manifests <dir>', 'write manifests/trust of your clone there, too')
  .option('--dry-run', 'change nothing, say what would be made and what that does')
  .option('--json', 'print the report as JSON')

async function main(): Promise<void> {
  const options = command.parse().opts()
  const { home, adopt = [], yes, manifests, dryRun: isDryRun = false, json, ...where } = options
  const place = openPlace(where)
  const wanted = { adopted: adopt.map(readRegionKeys), ...(home && { homes: home }) }
  const { plan, bootstrapped, changes } = planTrust(signingAt(place), wanted)
  const planned = describeTrust(bootstrapped, { homes: place.homes, changes })
  const isEdit = plan !== undefined && plan.lines.length > 0
  if (isEdit && !json) for (const line of [...formatPlan(plan), '']) console.log(line)
  const isDone = isDryRun || changes.length === 0
  if (!isDone && plan !== undefined && !yes) await agreeTo(plan)
  const report = isDone ? planned : sign(place, { wanted, agreed: plan })
  if (manifests !== undefined && !isDryRun) publishTrust(place, manifests)
  if (json) console.log(JSON.stringify({ ...report, plan, isDryRun }, undefined, 2))
  else
    for (const line of [...showTrust(report), ...showChanges(report, isDryRun)]) console.log(line)
}

const signingAt = ({ archipelago, homes }: Place) => ({
  archipelago,
  homes,
  nowSeconds: nowSeconds(),
})

/** Without a plan a region's home is made, where nobody else writes; whoever signs accounts does it alone. */
function sign(
  place: Place,
  { wanted, agreed }: { wanted: WantedHomes; agreed: Plan | undefined },
): TrustReport {
  const { archipelago, homes } = place
  const files = openFiles()
  const bootstrap = () => bootstrapHomes({ ...signingAt(place), files }, wanted)
  const report = (done: Bootstrapped) => describeTrust(done, { homes, changes: files.changes })
  if (agreed === undefined) return report(bootstrap())
  return withTrustLock(homes, () => {
    // Somebody may have signed something else meanwhile; what withdraws nothing may differ.
    requireTrustAgreed(signingAt(place), wanted, agreed.asks ? agreed.digest : undefined)
    const done = bootstrap()
    deleteWithdrawnKeys(homes, archipelago)
    return report(done)
  })
}

function* showTrust({ operator, accounts, regions, denyList, data }: TrustReport) {
  if (operator !== undefined) {
    const here = operator.signingKeys.filter(({ isHere }) => isHere).length
    const identity = operator.isIdentityKeyHere ? 'identity key here' : 'identity key moved away'
    yield `operator  ${operator.publicKey}  ${identity}, ${here} signing keys here`
  }
  for (const { name, publicKey, scopes } of accounts)
    yield `account   ${publicKey}  ${name}: ${scopes.map((scope) => scope.name).join(' ')}`
  for (const { name, home, digest = '' } of regions)
    yield `region    ${name}: ${showHome[home]}${digest && `, public keys ${digest.slice(0, 16)}`}`
  if (denyList !== undefined)
    yield `deny list ${denyList.sequence}, ${denyList.digest.slice(0, 16)}`
  yield `keys lie in ${data}`
  if (operator === undefined)
    for (const { folder } of regions)
      if (folder !== undefined) yield `the operator adopts ${join(folder, 'public.json')}`
}

const showHome = {
  here: 'home here',
  elsewhere: 'home elsewhere',
  unknown: 'no keys yet: adopt its public.json',
}

const accountFile = /^public\/accounts\//

function* showChanges({ changes }: TrustReport, isDryRun: boolean) {
  for (const { kind, path } of changes) yield `${isDryRun ? `would be ${kind}` : kind}: ${path}`
  if (changes.length === 0) yield 'nothing to change'
  if (!isDryRun && changes.some(({ kind, path }) => kind === 'changed' && accountFile.test(path)))
    yield 'servers that run do not know of it yet: push-accounts.ts tells them, apply.ts does both'
}

runCommand(command.name(), main, {
  ERR_PLAN_ASKS:
    'look at it with --dry-run, then agree with --yes; apply.ts also tells a network that runs',
})
