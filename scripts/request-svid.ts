// A workload's side of its certificate: makes the key where it stays, and writes the request for it.
import { dirname, resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { keySha256, requestCertificate } from '../core/identity/csr.ts'
import { formatPrivateKey, makeAuthorityKey, readPlainKey } from '../store/authority-keys.ts'
import { openFiles } from '../store/files.ts'
import { requireOutside, workTreeOf } from '../store/place.ts'
import { runCommand } from './command.ts'

const command = new Command('request-svid')
  .description(
    'Make a key for a workload where there is none yet, and a request for its certificate.',
  )
  .requiredOption('--key <file>', 'the private key, which stays here')
  .requiredOption('--out <file>', 'the request, for issue-svid')
  .option('--dry-run', 'change nothing, say what would be made')
  .option('--json', 'print the outcome as JSON')

function main(): void {
  const { key: keyFile, out, dryRun: isDryRun = false, json } = command.parse().opts()
  const [keyPath, request] = [resolve(keyFile), resolve(out)]
  requireOutside(keyPath, workTreeOf(dirname(keyPath)))
  const files = openFiles({ isDryRun })
  const known = readPlainKey(files, keyPath)
  const { privateKey, publicKey } = known ?? makeAuthorityKey()
  if (known === undefined) files.write(keyPath, formatPrivateKey(privateKey))
  files.write(request, requestCertificate(privateKey))
  const isNew = known === undefined
  // What would be made has no digest yet: it would be another one each time.
  const digest = isNew && isDryRun ? undefined : keySha256(publicKey)
  const outcome = { key: keyPath, request, keySha256: digest, isNew, isDryRun }
  if (json) return console.log(JSON.stringify(outcome))
  const made = isDryRun ? 'would be made' : 'made'
  console.log(`key ${keyPath}: ${isNew ? made : 'is there'}`)
  const tell = digest === undefined ? '' : `, and tell its key by another way: sha256 ${digest}`
  console.log(`next: have ${request} signed in the region's home with issue-svid${tell}`)
}

runCommand(command.name(), async () => main(), {
  ERR_AUTHORITY_KEY: 'name another file with --key; that one is left as it is',
  ERR_STORE_PLACE: 'name a file outside of every repository with --key',
})
