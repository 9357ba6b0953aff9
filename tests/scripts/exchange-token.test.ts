import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseCreds } from '../../core/trust/creds.ts'
import { keepExchanged } from '../../requestor/keep-exchanged.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { ams3Cluster } from '../core/access/token-example.ts'
import { serviceAccountClaims } from '../core/access/token-issuer.ts'
import { nowSeconds } from '../functions/ask.ts'
import { bundleMapFile } from '../../store/authority-files.ts'
import { startTokenNetwork } from '../functions/token-network.ts'
import { runScript } from '../run-script.ts'
import type { TestNetwork } from '../test-network.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTokenNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const run = (...args: string[]) =>
  runScript('exchange-token', ['--network', network.networkFile, ...args])

for (const way of ['nats', 'https'])
  test(`makes a key, says what the token is to be for, and gets a creds file by ${way}`, async (t) => {
    const [key, token, out] = ['nk', 'token', 'creds'].map((kind) =>
      join(network.folder, `${way}.${kind}`),
    ) as [string, string, string]
    const { stdout } = await run('--key', key, '--print-audience')
    const audience = stdout.trim()
    t.regex(audience, /^archipelago:nkey:U[A-Z2-7]{55}$/)
    t.is(statSync(key).mode & 0o777, 0o600)
    const claims = serviceAccountClaims({ audience, nowSeconds: nowSeconds() })
    writeFileSync(token, `${ams3Cluster.sign(claims)}\n`)
    const asked = [
      '--key',
      key,
      '--token-file',
      token,
      '--role',
      'orders',
      '--out',
      out,
      '--transport',
      way,
    ]
    const got = await run(...asked, '--json')
    t.is(got.code, 0, got.stderr)
    t.like(JSON.parse(got.stdout), { file: out, region: 'ams3' })
    t.is(statSync(out).mode & 0o777, 0o600)
    const { user } = parseCreds(readFileSync(out, 'utf8'))
    t.is(user.claims.sub, String(audience.split(':')[2]))

    const again = await run(...asked)
    t.is(again.code, 1)
    t.is(
      again.stderr,
      `exchange-token: exists: ${out}\ndo: name another file with --out, or overwrite it with --force\n`,
    )
  })

test('a workload goes from its key to a creds file by commands alone', async (t) => {
  const at = (name: string) => join(network.folder, `announcer.${name}`)
  const region = ['--region', 'sfo2']
  const place = ['--archipelago', network.archipelagoFile, '--data-dir', network.homes.data]
  await runScript('request-svid', ['--key', at('key'), '--out', at('csr')])
  const issue = ['--workload', 'announcer', '--csr', at('csr'), '--out', at('crt'), '--laptop']
  const issued = await runScript('issue-svid', [...place, ...region, ...issue])
  t.is(issued.code, 0, issued.stderr)
  const certificate = ['--certificate', at('crt'), '--certificate-key', at('key')]
  const asked = ['--key', at('nk'), '--role', 'announcer', '--out', at('creds'), ...region]
  const alone = await run(...asked, ...certificate)
  t.regex(alone.stderr, /^exchange-token: --bundles is missing\ndo: /)
  const bundles = ['--bundles', bundleMapFile(network.homes.public)]
  const got = await run(...asked, ...certificate, ...bundles)
  t.is(got.code, 0, got.stderr)
  const { claims } = parseCreds(readFileSync(at('creds'), 'utf8')).user
  t.is(claims.name, 'spiffe://sfo2.archipelago.example/workload/announcer')
})

test('says what to do about a token for another audience, and nothing of the token', async (t) => {
  const [key, token, out] = ['nk', 'token', 'creds'].map((kind) =>
    join(network.folder, `wrong.${kind}`),
  ) as [string, string, string]
  const claims = serviceAccountClaims({ audience: 'archipelago', nowSeconds: nowSeconds() })
  const text = ams3Cluster.sign(claims)
  writeFileSync(token, text)
  const got = await run('--key', key, '--token-file', token, '--role', 'orders', '--out', out)
  t.is(got.code, 1)
  t.regex(
    got.stderr,
    /^exchange-token: token refused: its audience is not archipelago:nkey:U[A-Z2-7]{55}\ndo: have the token made for what --print-audience prints\n$/,
  )
  t.false(existsSync(out))
  t.false(got.stderr.includes(text.slice(-40)))
})

test('is kept by exchanging again at half of what is left, and after a failure', async (t) => {
  const stop = new AbortController()
  const lasting = (seconds: number) =>
    ({ creds: { user: { claims: { exp: Date.now() / 1000 + seconds } } } }) as unknown as Credential
  const seen: string[] = []
  await keepExchanged(lasting(0.1), {
    exchange: () => {
      if (seen.length === 0) return Promise.reject(new Error('no token'))
      return Promise.resolve(lasting(60))
    },
    onCredential: () => {
      seen.push('credential')
      stop.abort()
    },
    onFailure: ({ message }, retryMs) => {
      t.true(retryMs >= 500 && retryMs <= 1_000)
      seen.push(message)
    },
    signal: stop.signal,
  })
  t.deepEqual(seen, ['no token', 'credential'])
})
