// The authority of a mesh in a cluster without cert-manager: makes the key where this runs, and, when the operator
// has signed its request, the Secret in the mesh's own layout. The key goes to kubectl or into a file of its
// owner's alone, and never to the terminal or into a repository.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import { formatCertificates } from '../core/identity/certificate.ts'
import { meshes, meshPlaces, type Mesh } from '../core/identity/mesh.ts'
import { Refusal } from '../core/errors.ts'
import { requireRegion } from '../core/known-region.ts'
import { meshSecret, requireSelfSigning, type SelfSigning } from '../gitops/mesh-secret.ts'
import { readRoots } from '../store/authority-files.ts'
import { readSigning } from '../store/intermediate.ts'
import { requireOutside, workTreeOf } from '../store/place.ts'
import type { AuthorityStore } from '../store/root.ts'
import { advanceAuthority, type AuthorityStep } from './advance-authority.ts'
import { openStore } from './authority-options.ts'
import { networkCommand, openPlace, repositoriesOf, runCommand, type Place } from './command.ts'

const command = networkCommand(
  'render-mesh-ca',
  'In a region without cert-manager: request the authority of a mesh, and render its Secret when it is signed. Run it again for that.',
)
  .argument('<region>', 'whose it is')
  .addOption(
    new Option('--mesh <mesh>', 'which one; archipelago.yaml need not name it')
      .choices(meshes)
      .makeOptionMandatory(),
  )
  .option('--certificate <file>', 'what was signed, where it is not in the public folder yet')
  .option(
    '--replace',
    'request the next one though the one in use is good: stolen, or of an old root',
  )
  .option('--out <file>', 'write the Secret to this file, for its owner alone')
  .option('--apply', 'hand the Secret to kubectl')
  .option('--context <name>', 'of your own kubectl, with --apply')
  .option('--dry-run', 'change nothing, say what would be done')
  .option('--json', 'print the outcome as JSON: never the key')

type Options = ReturnType<typeof command.opts>

async function main(): Promise<void> {
  const options = command.parse().opts()
  const [region] = command.processedArgs
  const opened = openPlace(options)
  requireRegion(opened.archipelago.regions, region)
  requireTarget(options, opened)
  const { certificate: file, replace: isReplaced, dryRun: isDryRun = false } = options
  const { mesh } = options
  requireSelfSigning(mesh)
  const store = openStore(opened, { isDryRun })
  const place = { region, kind: mesh, placement: 'distributed' } as const
  const step = advanceAuthority(store, place, { file, isReplaced })
  const secret = step.state === 'requested' ? undefined : render(store, place)
  const target = secret && (await hand(secret, store, options))
  const outcome = { region, mesh, ...step, secret: secret && nameOf(mesh), target, isDryRun }
  if (options.json) return console.log(JSON.stringify(outcome))
  for (const line of show(outcome)) console.log(line)
}

function requireTarget({ out, apply, context }: Options, { archipelagoFile }: Place): void {
  if (out !== undefined && apply) throw new Refusal('ERR_OPTION_ILLEGAL', 'either --out or --apply')
  if (context !== undefined && !apply)
    throw new Refusal('ERR_OPTION_ILLEGAL', '--context is for --apply alone')
  if (out !== undefined)
    requireOutside(resolve(out), [
      ...repositoriesOf(archipelagoFile),
      ...workTreeOf(resolve(out, '..')),
    ])
}

function render(
  store: AuthorityStore,
  place: { readonly region: string; readonly kind: SelfSigning; readonly placement: 'distributed' },
): object {
  const issuer = readSigning(store, place)
  if (issuer === undefined)
    throw new Refusal('ERR_AUTHORITY_OTHER', `no ${place.kind} authority of ${place.region} signs`)
  const root = readRoots(store.files, store.homes, place.kind).filter(({ openssl }) =>
    issuer.certificate.openssl.verify(openssl.publicKey),
  )
  return meshSecret(place.kind, {
    key: issuer.key,
    certificate: formatCertificates([issuer.certificate]),
    root: formatCertificates(root),
  })
}

const nameOf = (mesh: Mesh) => `${meshPlaces[mesh].namespace}/${meshPlaces[mesh].secret}`

/** Says where it went; in a dry run where it would. */
async function hand(
  secret: object,
  { files }: AuthorityStore,
  { out, apply, context, dryRun }: Options,
): Promise<string | undefined> {
  const text = `${JSON.stringify(secret)}\n`
  if (out !== undefined) {
    files.write(resolve(out), text)
    return resolve(out)
  }
  if (!apply) return undefined
  if (!dryRun) await applySecret(text, context)
  return context === undefined ? 'kubectl' : `kubectl --context ${context}`
}

const timeoutMs = 60_000

/** By its standard input: arguments and files are seen by others. Server-side, so that no annotation repeats it. */
async function applySecret(text: string, context: string | undefined): Promise<void> {
  const args = [
    ...['apply', '--server-side', '--field-manager=archipelago', '--filename=-'],
    ...(context === undefined ? [] : ['--context', context]),
  ]
  const kubectl = spawn('kubectl', args, { stdio: ['pipe', 'ignore', 'pipe'], timeout: timeoutMs })
  let said = ''
  kubectl.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  // What it does not read is no news beside its exit code.
  kubectl.stdin.on('error', () => {}).end(text)
  const code = await new Promise<number | null>((done, fail) => {
    kubectl.once('error', (cause: NodeJS.ErrnoException) => {
      const isMissing = cause.code === 'ENOENT'
      fail(isMissing ? new Refusal('ERR_TOOL_MISSING', 'no kubectl on PATH', { cause }) : cause)
    })
    kubectl.once('close', done)
  })
  if (code !== 0)
    throw new Refusal('ERR_CLUSTER_REFUSED', `kubectl apply: ${said.trim().split('\n').at(-1)}`)
}

interface Outcome extends AuthorityStep {
  readonly region: string
  readonly mesh: Mesh
  readonly secret: string | undefined
  readonly target: string | undefined
  readonly isDryRun: boolean
}

function* show(outcome: Outcome): Generator<string> {
  const { region, mesh, state, request, keySha256, sha256, notAfter, isDryRun } = outcome
  const would = isDryRun ? 'would be ' : ''
  if (state === 'requested') {
    yield `${region}, ${mesh}: ${would}requested: ${request}, key sha256 ${keySha256}`
    yield `next: the operator signs it with sign-region --region ${region} --kind ${mesh}; then run this again`
    return
  }
  const verb = state === 'adopted' ? `${would}adopted` : state
  yield `${region}, ${mesh}: ${verb}: sha256 ${sha256}, until ${notAfter}`
  if (outcome.target === undefined)
    yield `next: hand the Secret ${outcome.secret} on with --apply, or write it with --out`
  else yield `Secret ${outcome.secret}: ${would}handed to ${outcome.target}`
}

runCommand(command.name(), main, {
  ERR_STORE_UNREADABLE: 'name the file that sign-region wrote, with --certificate',
  ERR_CHAIN_UNTRUSTED: "bring the operator's public folder here first: the mesh's root is in it",
  ERR_AUTHORITY_KEY: 'have the request signed that lies here, next to the new key',
  ERR_AUTHORITY_CONSTRAINTS: 'have it signed with the same archipelago.yaml',
  ERR_TOOL_MISSING: 'install it, or write the Secret to a file with --out',
  ERR_CLUSTER_REFUSED:
    'look at your kubectl and its --context; the namespace of the mesh must be there',
  ERR_MESH_WITHOUT_CERT_MANAGER: 'install cert-manager, and take the component mesh-osm',
})
