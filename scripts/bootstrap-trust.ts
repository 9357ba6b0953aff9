// Makes the keys whose home is here and signs what archipelago.yaml says; run again, changes nothing.
import { join } from 'node:path'
import { bootstrapHomes, readRegionKeys, type WantedHomes } from '../store/bootstrap.ts'
import { openFiles } from '../store/files.ts'
import { describeTrust, type TrustReport } from '../store/trust-report.ts'
import { withTrustLock } from '../store/trust-lock.ts'
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
  .option('--dry-run', 'change nothing, say what would be made')
  .option('--json', 'print the report as JSON')

async function main(): Promise<void> {
  const { home, adopt = [], dryRun: isDryRun = false, json, ...where } = command.parse().opts()
  const place = openPlace(where)
  const wanted = { adopted: adopt.map(readRegionKeys), ...(home && { homes: home }) }
  const planned = bootstrap(place, wanted, { isDryRun: true })
  const isDone = isDryRun || planned.changes.length === 0
  const report = isDone ? planned : inTurn(place, planned, () => bootstrap(place, wanted))
  if (json) console.log(JSON.stringify({ ...report, isDryRun }, undefined, 2))
  else
    for (const line of [...showTrust(report), ...showChanges(report, isDryRun)]) console.log(line)
}

function bootstrap(place: Place, wanted: WantedHomes, { isDryRun = false } = {}): TrustReport {
  const { archipelago, homes } = place
  const files = openFiles({ isDryRun })
  const options = { files, homes, archipelago, nowSeconds: nowSeconds() }
  return describeTrust(bootstrapHomes(options, wanted), { homes, changes: files.changes })
}

/** Whoever signs accounts does it alone; a region's home has nobody else who writes there. */
function inTurn<T>({ homes }: Place, { operator }: TrustReport, change: () => T): T {
  return operator === undefined ? change() : withTrustLock(homes, change)
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

runCommand(command.name(), main)
