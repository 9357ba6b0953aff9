// The second of two steps by which a region joins: reads the public halves of the keys that its cluster made,
// signs them, and commits what git carries to all regions. Run again, it renews an authority that asks.
import type { AnyKind } from '../core/identity/authority.ts'
import { keySha256, readCsr } from '../core/identity/csr.ts'
import { Refusal } from '../core/errors.ts'
import { requireRegion } from '../core/known-region.ts'
import { formatPlan } from '../core/plan/format.ts'
import type { RegionPublic } from '../core/trust/region-public.ts'
import type { TrustChange } from '../gitops/trust-files.ts'
import {
  describeIssuer,
  planIssuer,
  writeIssuer,
  type AdoptedIssuer,
} from './adoption/cluster-issuer.ts'
import { commitFiles } from './adoption/commit-files.ts'
import { manifestsIn, manifestsOption, publishTrust, requirePinned } from './adoption/publish.ts'
import { readRegion } from './adoption/read-region.ts'
import {
  planAdoption,
  signAdopted,
  type AdoptionPlan,
  type SignedKind,
} from './adoption/sign-adopted.ts'
import { agreeTo } from './agree-to.ts'
import { describeCertificate, openStore, rootKeyIn } from './authority-options.ts'
import { networkCommand, openPlace, runCommand, type Place } from './command.ts'
import { once, readPassphrase } from './passphrase.ts'

const command = networkCommand(
  'adopt-region',
  'Sign the public keys that a region’s cluster made, write manifests/trust, and commit it.',
)
  .argument('<region>', 'which one')
  .option('--file <file>', 'its ConfigMap region-public, as kubectl prints it in YAML or JSON')
  .option('--context <name>', 'of your own kubectl, which is asked where there is no file')
  .addOption(manifestsOption())
  .option('--root-key-dir <dir>', 'where the keys of the roots are, if not in the operator’s home')
  .option('--passphrase-file <file>', 'where the passphrase of the roots is, instead of asking')
  .option('--yes', 'agree to what it withdraws: the keys of a cluster that is no more')
  .option('--no-commit', 'write the files, and leave the commit to you')
  .option('--dry-run', 'change nothing, say what would be signed')
  .option('--json', 'print the outcome as JSON')

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const [region] = command.processedArgs
  const opened = openPlace(options)
  requireRegion(opened.archipelago.regions, region)
  const { namespace } = opened.archipelago.kubernetes
  const found = await readRegion(region, { ...options, namespace })
  const issuer = planIssuer(opened, found)
  const place = { ...opened, archipelago: issuer?.archipelago ?? opened.archipelago }
  const store = openStore(place)
  const adoption = planAdoption(store, found)
  requirePinned(place)
  const described = {
    ...describe(found, adoption),
    ...(issuer && { tokens: describeIssuer(issuer) }),
  }
  if (!options.json) show(planned(found, adoption, issuer))
  if (options.dryRun) return options.json ? print({ ...described, isDryRun: true }) : undefined
  if (!options.yes) await agree(adoption, region, issuer)
  if (issuer !== undefined) writeIssuer(issuer)
  const signed = await signAdopted(store, found, { ...adoption, ...rootKeys(options, place) })
  const written = publishTrust(place, options.manifests)
  const manifests = manifestsIn(options.manifests, place)
  const files = ['trust', ...(issuer && !options.manifests ? [issuer.file] : [])]
  const commit = options.commit ? await commitTrust(manifests, files, region) : undefined
  const outcome = {
    ...described,
    signed: signed.map(describeSigned),
    written,
    commit,
  }
  if (options.json) return print(outcome)
  show(done({ region, signed, written, commit }))
}

const print = (value: unknown): void => console.log(JSON.stringify(value, undefined, 2))

function show(lines: Iterable<string>): void {
  for (const line of lines) console.log(line)
}

async function agree(
  { plan, isRebuilt }: AdoptionPlan,
  region: string,
  issuer: AdoptedIssuer | undefined,
): Promise<void> {
  if (issuer?.isBelieved && issuer.isNew)
    throw new Refusal('ERR_PLAN_ASKS', `nobody agreed to other keys for the tokens of ${region}`)
  if (isRebuilt && !plan.asks)
    throw new Refusal('ERR_PLAN_ASKS', `nobody agreed to withdraw the keys of ${region}`)
  await agreeTo(plan)
}

function rootKeys({ rootKeyDir, passphraseFile }: Options, place: Place) {
  return {
    keyFile: (kind: AnyKind) => rootKeyDir && rootKeyIn(rootKeyDir, place, kind),
    passphrase: once(() => readPassphrase(passphraseFile, { isNew: false })),
  }
}

const commitTrust = (manifests: string, files: readonly string[], region: string) =>
  commitFiles(manifests, files, `trust: adopt ${region}`)

function describe(
  { keys: { region }, requests }: RegionPublic,
  { plan, isRebuilt, kinds }: AdoptionPlan,
) {
  const asked = kinds.flatMap((kind) => {
    const request = requests[kind]
    return request === undefined ? [] : [{ kind, keySha256: keySha256(readCsr(request)) }]
  })
  return { region, isRebuilt, plan, asked }
}

function* planned(found: RegionPublic, adoption: AdoptionPlan, issuer?: AdoptedIssuer) {
  const { region, isRebuilt, plan, asked } = describe(found, adoption)
  if (plan.lines.length > 0) yield* formatPlan(plan)
  if (isRebuilt) yield `${region} was made anew: its keys and authorities of before are withdrawn`
  for (const { kind, keySha256: key } of asked)
    yield `${region} asks for its ${kind} authority: key sha256 ${key}`
  for (const kind of adoption.kinds)
    if (!asked.some((each) => each.kind === kind))
      yield `${region} does not ask for its ${kind} authority yet: is cert-manager there?`
  if (issuer === undefined) return
  const { keyIds, path, isNew, isBelieved, ...own } = describeIssuer(issuer)
  yield `${region} signs tokens as ${own.issuer}: ${isNew ? 'new keys' : 'keys'} ${keyIds.join(', ')} in ${path}`
  if (!isBelieved) yield `nobody believes them before issuers of archipelago.yaml name ${path}`
}

const describeSigned = ({ kind, signed, withdrawn }: SignedKind) => ({
  kind,
  ...(signed && { ...describeCertificate(signed.certificate), isNew: signed.isNew }),
  withdrawn: withdrawn.map(describeCertificate),
})

function* done({
  region,
  signed,
  written,
  commit,
}: {
  region: string
  signed: readonly SignedKind[]
  written: readonly TrustChange[]
  commit: string | undefined
}) {
  for (const { kind, sha256, notAfter, isNew, withdrawn } of signed.map(describeSigned)) {
    if (sha256 !== undefined)
      yield `${region}, ${kind}: ${isNew ? 'signed' : 'was signed before'}: sha256 ${sha256}, until ${notAfter}`
    for (const each of withdrawn) yield `${region}, ${kind}: withdrawn: sha256 ${each.sha256}`
  }
  for (const { kind, path } of written) yield `${kind}: ${path}`
  if (written.length === 0) yield 'nothing to write'
  if (commit !== undefined) yield `committed: ${commit}`
  yield 'next: git push; every region takes it by itself'
}

runCommand(command.name(), main, {
  ERR_STORE_UNREADABLE:
    'make the operator once, on a machine of yours: bootstrap-trust --home operator, then make-root (for a mesh, make-root --kind)',
  ERR_HOME_HERE: 'name a data folder of its own for clusters, with --data-dir',
  ERR_TOOL_MISSING:
    'install it, or paste what it would print into a file and name that with --file',
  ERR_CLUSTER_REFUSED:
    'look at your kubectl and its --context; the job region-keys makes the ConfigMap',
  ERR_PLAN_ASKS: 'look at it with --dry-run, then agree with --yes',
  ERR_OPERATOR_OTHER: 'name the data folder of that operator with --data-dir',
  ERR_KEY_NOT_HERE: 'name the folder of the roots’ keys with --root-key-dir',
  ERR_ISSUER_KEYS: 'name the issuer in archipelago.yaml as that cluster does, or another file',
  ERR_MANIFEST_OLDER: 'bring your clone and your data folder up to date (git pull, restore-trust)',
})
