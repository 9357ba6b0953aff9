// `npm run invoke -- exchange-token`: a token's exchange in one process, without any server.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { formatTokenAudience } from '../../../core/access/token-audience.ts'
import { parseCreds } from '../../../core/trust/creds.ts'
import { readArchipelago } from '../../../store/archipelago.ts'
import { bootstrapAll } from '../../../store/bootstrap.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { makeNkeyPair, writeKey } from '../../../store/key-file.ts'
import { ams3Cluster, keyFiles, withTokens } from '../../core/access/token-example.ts'
import { serviceAccountClaims } from '../../core/access/token-issuer.ts'
import { good } from '../../core/archipelago/example.ts'
import { run } from '../../run-script.ts'

const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
test.after.always(() => rmSync(folder, { recursive: true }))

const script = fileURLToPath(new URL('../../../functions/triggers/command.ts', import.meta.url))
const [yaml, data, key, tokenFile, out] = ['archipelago.yaml', 'data', 'nk', 'token', 'creds'].map(
  (name) => join(folder, name),
) as [string, string, string, string, string]
const nowSeconds = Math.floor(Date.now() / 1000)

for (const [name, text] of Object.entries({ ...keyFiles, 'archipelago.yaml': withTokens(good) }))
  writeFileSync(join(folder, name), text)
const archipelago = readArchipelago(yaml)
bootstrapAll({ files: openFiles(), homes: homesOf(data), archipelago, nowSeconds })
const pair = makeNkeyPair('user')
writeKey(openFiles(), key, pair)

const invoke = (...args: string[]) => {
  const place = ['--archipelago', yaml, '--data-dir', data, '--key', key, '--token-file', tokenFile]
  return run(process.execPath, [script, 'exchange-token', ...place, ...args])
}

test.serial('makes a creds file of a token, and one audit line without it', async (t) => {
  const audience = formatTokenAudience(archipelago.network, pair.publicKey)
  const token = ams3Cluster.sign(serviceAccountClaims({ audience, nowSeconds }))
  writeFileSync(tokenFile, token)
  const { code, stderr } = await invoke('--role', 'orders', '--out', out)
  t.is(code, 0, stderr)
  const { user } = parseCreds(readFileSync(out, 'utf8'))
  t.is(user.claims.sub, pair.publicKey)
  t.is(user.claims.exp, nowSeconds + 600)
  t.like(JSON.parse(stderr), { verdict: 'granted', entry: 'roles.orders.identity[0]' })
  t.false(stderr.includes(token.slice(-40)))
})

test.serial('refuses it in a region that does not know its cluster', async (t) => {
  const { code, stderr } = await invoke('--role', 'orders', '--region', 'sgp1')
  t.is(code, 1)
  t.regex(stderr, /^invoke: ERR_TOKEN_ISSUER: token refused: issuer is not one of sgp1's: /m)
})
