// A workload and its region on two machines: what travels between them is a request and a certificate.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { good } from '../core/archipelago/example.ts'
import { run, runScript } from '../run-script.ts'
import { snapshot } from '../store/home.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** A region's home with its authority. */
async function makePlace(t: ExecutionContext) {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'archipelago.yaml'), good)
  writeFileSync(join(folder, 'passphrase'), 'correct horse battery\n')
  const data = join(folder, 'region')
  const inHome = (name: string, ...args: string[]) =>
    runScript(name, ['--data-dir', data, ...args], { cwd: folder })
  const ams3 = ['--region', 'ams3', '--kind', 'identity']
  const secret = ['--passphrase-file', 'passphrase']
  await inHome('make-root', '--kind', 'identity', ...secret)
  await inHome('request-authority', ...ams3)
  await inHome('sign-region', ...ams3, ...secret)
  const adopted = await inHome('request-authority', ...ams3)
  t.is(adopted.code, 0, adopted.stderr)
  const request = (...args: string[]) =>
    runScript('request-svid', ['--key', 'exporter.key', '--out', 'exporter.csr', ...args], {
      cwd: folder,
    })
  const issue = (...args: string[]) =>
    inHome(
      'issue-svid',
      ...['--region', 'ams3', '--workload', 'exporter', '--csr', 'exporter.csr'],
      ...['--out', 'exporter.crt', ...args],
    )
  return { folder, data, request, issue }
}

test.serial('a key, a request, and a certificate that is on record', async (t) => {
  const { folder, data, request, issue } = await makePlace(t)
  const requested = await request()
  t.is(requested.code, 0, requested.stderr)
  t.regex(
    requested.stdout,
    /exporter\.key: made\nnext: have .*exporter\.csr signed.*[0-9a-f]{64}\n$/,
  )
  const key = readFileSync(join(folder, 'exporter.key'), 'utf8')
  t.is(statSync(join(folder, 'exporter.key')).mode & 0o777, 0o600)
  const { isNew, keySha256 } = JSON.parse((await request('--json')).stdout)
  t.false(isNew)
  t.true(requested.stdout.includes(`sha256 ${keySha256}`))
  t.is(readFileSync(join(folder, 'exporter.key'), 'utf8'), key)

  const before = snapshot(data)
  const dry = await issue('--dry-run')
  t.regex(dry.stdout, /^spiffe:\/\/ams3\.archipelago\.example\/workload\/exporter: would be signed/)
  t.deepEqual(snapshot(data), before)
  t.false(existsSync(join(folder, 'exporter.crt')))

  const issued = await issue('--lifetime', '10m', '--key-sha256', keySha256, '--json')
  t.is(issued.code, 0, issued.stderr)
  const { id, sha256, notAfter } = JSON.parse(issued.stdout)
  t.is(id, 'spiffe://ams3.archipelago.example/workload/exporter')
  t.true(Date.parse(notAfter) <= Date.now() + 10 * 60_000)
  const records = [...snapshot(data)].filter(([path]) => path.includes('issued'))
  t.true(records.some(([, content]) => content.includes(sha256)))
  const shown = await run('openssl', ['x509', '-in', 'exporter.crt', '-noout', '-text'], {
    cwd: folder,
  })
  t.regex(shown.stdout, /URI:spiffe:\/\/ams3\.archipelago\.example\/workload\/exporter\n/)
})

test.serial('a request that was exchanged on its way is not signed', async (t) => {
  const { folder, data, request, issue } = await makePlace(t)
  const { keySha256 } = JSON.parse((await request('--json')).stdout)
  const before = snapshot(data)
  await request('--key', 'thief.key')
  const exchanged = await issue('--key-sha256', keySha256)
  t.regex(
    exchanged.stderr,
    /^issue-svid: request is for the key [0-9a-f]{64}, not [0-9a-f]{64}\ndo: somebody has exchanged/,
  )
  t.deepEqual(snapshot(data), before)
  t.false(existsSync(join(folder, 'exporter.crt')))
})

test.serial('what cannot be signed is refused with what to do', async (t) => {
  const { folder, request, issue } = await makePlace(t)
  const without = await issue()
  t.regex(without.stderr, /^issue-svid: no request at /)
  await request()
  const long = await issue('--lifetime', '2h')
  t.regex(long.stderr, /longer than a leaf lives, 3600 s: 7200 s\ndo: name a shorter --lifetime/)
  const elsewhere = await issue('--region', 'sfo2')
  t.regex(elsewhere.stderr, /no authority of sfo2 here.*\ndo: run it in the region's home/)
  await run('git', ['init', '-q'], { cwd: folder })
  const inside = await request('--key', 'other.key')
  t.regex(
    inside.stderr,
    /keys may not lie in the repository: .*other\.key\ndo: name a file outside/,
  )
})
