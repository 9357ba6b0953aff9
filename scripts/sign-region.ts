// Signs a region's request for its authority. The key of the region is never seen here; what the
// authority may name is written in archipelago.yaml, not in the request.
import { resolve } from 'node:path'
import { isMesh, type AuthorityPlace } from '../core/identity/authority.ts'
import { formatCertificates } from '../core/identity/certificate.ts'
import { keySha256 } from '../core/identity/csr.ts'
import { intermediateFiles, intermediatesFile } from '../store/authority-files.ts'
import { readOrRefuse } from '../store/files.ts'
import { publishIntermediate, signIntermediate } from '../store/intermediate.ts'
import { readRoot } from '../store/root.ts'
import { withTrustLock } from '../store/trust-lock.ts'
import {
  authorityPlace,
  describeCertificate,
  anyKindOption,
  openStore,
} from './authority-options.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'
import { readPassphrase } from './passphrase.ts'

const command = networkCommand(
  'sign-region',
  "Sign the request of a region's authority with a root, and publish it; once for each key.",
)
  .requiredOption('--region <region>', 'whose authority it is')
  .addOption(anyKindOption())
  .option('--csr <file>', "the region's request (default: in its home, where that is here)")
  .option('--key-sha256 <digest>', 'refuse another key than that: request-authority prints it')
  .option('--root-key <file>', "the root's key, where it is not in the operator's home")
  .option('--passphrase-file <file>', 'where the passphrase of the root is, instead of asking')
  .option('--laptop', 'for processes of one machine: loopback addresses')
  .option('--out <file>', 'write the certificate to this file, too')
  .option('--dry-run', 'change nothing, say what would be signed')
  .option('--json', 'print the certificate as JSON')

async function main(): Promise<void> {
  const {
    csr,
    rootKey,
    passphraseFile,
    out,
    dryRun,
    json,
    keySha256: expected,
    ...options
  } = command.parse().opts()
  const isDryRun = dryRun ?? false
  const store = openStore(openPlace(options), { isDryRun })
  const { files, homes } = store
  const place = authorityPlace(options)
  const { region, kind } = place
  const request = csr ?? intermediateFiles(homes, place, 'next').request
  const { certificate, isNew } = await signIntermediate(store, place, {
    request: readOrRefuse(resolve(request), 'request'),
    expected,
    root: () =>
      readRoot(store, kind, {
        file: rootKey && resolve(rootKey),
        passphrase: () => readPassphrase(passphraseFile, { isNew: false }),
      }),
  })
  const publish = () => publishIntermediate(store, place, certificate)
  if (isDryRun) publish()
  else withTrustLock(homes, publish)
  if (out !== undefined) files.write(resolve(out), formatCertificates([certificate]))
  const key = keySha256(certificate.openssl.publicKey)
  const outcome = { ...place, ...describeCertificate(certificate), keySha256: key, isNew, isDryRun }
  if (json) return console.log(JSON.stringify(outcome))
  for (const line of show(outcome, intermediatesFile(homes.public, kind, region))) console.log(line)
}

type Outcome = ReturnType<typeof describeCertificate> &
  AuthorityPlace & {
    readonly keySha256: string
    readonly isNew: boolean
    readonly isDryRun: boolean
  }

function show(
  { region, kind, sha256, keySha256: key, notAfter, isNew, isDryRun }: Outcome,
  file: string,
): string[] {
  // What would be signed has no digest yet: it would be another one each time.
  if (isNew && isDryRun)
    return [
      `${region}, ${kind}: would be signed, until ${notAfter}: key sha256 ${key}`,
      `would be published in ${file}`,
    ]
  const verb = isNew ? 'signed' : 'was signed before'
  return [
    `${region}, ${kind}: ${verb}: sha256 ${sha256}, until ${notAfter}`,
    `published in ${file}`,
    ...(isNew ? [`next: ${adopting({ region, kind })} adopts it`] : []),
  ]
}

const adopting = ({ region, kind }: Pick<Outcome, 'region' | 'kind'>): string =>
  isMesh(kind)
    ? `render-mesh-ca ${region} --mesh ${kind}`
    : `request-authority --region ${region} --kind ${kind}`

runCommand(command.name(), main, {
  ERR_STORE_UNREADABLE:
    "name the region's request with --csr; where there is no root yet, begin with make-root",
  ERR_KEY_NOT_HERE:
    'name the file of the root’s key with --root-key, or make a root with make-root',
  ERR_CSR_OTHER_KEY:
    'somebody has exchanged the request on its way, or the region made a new one: ask it',
  ERR_AUTHORITY_KEY: 'let the region make a key of its own with request-authority',
})
