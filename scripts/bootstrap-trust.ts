// Makes the keys whose home is here and signs what archipelago.yaml says; run again, changes nothing.
import { join } from 'node:path'
import { bootstrapHomes, readRegionKeys } from '../store/bootstrap.ts'
import { openFiles } from '../store/files.ts'
import { describeTrust, type TrustReport } from '../store/trust-report.ts'
import { collect, networkCommand, nowSeconds, openPlace, runCommand } from './command.ts'

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
  const { archipelago, homes } = openPlace(where)
  const files = openFiles({ isDryRun })
  const adopted = adopt.map(readRegionKeys)
  const options = { files, homes, archipelago, nowSeconds: nowSeconds() }
  const made = bootstrapHomes(options, { adopted, ...(home && { homes: home }) })
  const report = describeTrust(made, { homes, changes: files.changes })
  if (json) console.log(JSON.stringify({ ...report, isDryRun }, undefined, 2))
  else
    for (const line of [...showTrust(report), ...showChanges(report, isDryRun)]) console.log(line)
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

function* showChanges({ changes }: TrustReport, isDryRun: boolean) {
  for (const { kind, path } of changes) yield `${isDryRun ? `would be ${kind}` : kind}: ${path}`
  if (changes.length === 0) yield 'nothing to change'
}

runCommand(command.name(), main)
