// Signs a workload's certificate with its region's authority. The workload's key is never seen here; its
// name is what this command says, not what the request does.
import { resolve } from 'node:path'
import { parseDuration } from '../core/duration.ts'
import { readOrRefuse } from '../store/files.ts'
import { recordSvid, signSvid } from '../store/svid.ts'
import { describeCertificate, openStore } from './authority-options.ts'
import { networkCommand, openPlace, runCommand } from './command.ts'

const command = networkCommand(
  'issue-svid',
  "In a region's home: sign the request of a workload, which is then /workload/<name> of that region.",
)
  .requiredOption('--region <region>', 'whose home is here')
  .requiredOption('--workload <name>', 'what the workload is called')
  .requiredOption('--csr <file>', "the workload's request, of request-svid or any other tool")
  .option('--key-sha256 <digest>', 'refuse another key than that: request-svid prints it')
  .requiredOption('--out <file>', 'the certificate to write, with its authority')
  .option('--lifetime <duration>', 'how long it lives (default and most: identity.leafLifetime)')
  .option('--laptop', 'for processes of one machine: loopback addresses')
  .option('--dry-run', 'change nothing, say what would be signed')
  .option('--json', 'print the certificate as JSON')

async function main(): Promise<void> {
  const {
    region,
    workload,
    csr,
    out,
    lifetime,
    dryRun,
    json,
    keySha256: expected,
    ...options
  } = command.parse().opts()
  const isDryRun = dryRun ?? false
  const store = openStore(openPlace(options), { isDryRun })
  const placement = options.laptop ? 'laptop' : 'distributed'
  const signed = await signSvid(
    store,
    { region, kind: 'identity', placement },
    {
      workload,
      request: readOrRefuse(resolve(csr), 'request'),
      expected,
      lifetimeSeconds: lifetime === undefined ? undefined : parseDuration(lifetime),
    },
  )
  if (!isDryRun) recordSvid(store, region, signed)
  const file = resolve(out)
  store.files.write(file, signed.chain)
  const { id } = signed.issued
  const described = describeCertificate(signed.leaf)
  if (json) return console.log(JSON.stringify({ id, ...described, file, isDryRun }))
  const verb = isDryRun ? 'would be signed' : 'signed'
  console.log(`${id}: ${verb}: serial ${described.serial}, until ${described.notAfter}`)
  if (!isDryRun) console.log(`next: the workload reads ${file} beside its key`)
}

runCommand(command.name(), main, {
  ERR_KEY_NOT_HERE:
    "run it in the region's home, after request-authority; on a laptop with --laptop",
  ERR_CSR_OTHER_KEY:
    'somebody has exchanged the request on its way, or the workload made a new key: ask its holder',
  ERR_AUTHORITY_KEY: 'let the workload make a key of its own with request-svid',
  ERR_IDENTITY_WITHDRAWN: 'take it back in with withdraw-identity --reinstate, if it may',
  ERR_DURATION_ILLEGAL: 'name a shorter --lifetime, or raise identity.leafLifetime',
})
