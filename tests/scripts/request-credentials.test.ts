import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseCreds } from '../../core/trust/creds.ts'
import { findTool } from '../../laptop/tools.ts'
import { run, runScript } from '../run-script.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
let nats: string
test.before(async () => {
  network = await startTestNetwork()
  nats = await findTool('nats', { report: () => {} })
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const request = (...args: string[]) =>
  runScript('request-credentials', ['--network', network.networkFile, ...args])
const invite = (...args: string[]) => {
  const { archipelagoFile, homes } = network
  const where = ['--archipelago', archipelagoFile, '--data-dir', homes.data]
  return runScript('issue-invite', [...where, ...args])
}

test('a newcomer gets a creds file that only it may read', async (t) => {
  const file = join(network.folder, 'alice.creds')
  const { code, stdout } = await request('--name', 'alice', '--region', 'sfo2', '--out', file)
  t.is(code, 0)
  t.regex(stdout, /alice\.creds: alice is member until .*, issued by sfo2 in [\d.]+ ms/)
  t.is(statSync(file).mode & 0o777, 0o600)
  t.is(parseCreds(readFileSync(file, 'utf8')).user.claims.name, 'alice')
})

for (const transport of ['nats', 'https'])
  test(`a program reads over ${transport} what was issued`, async (t) => {
    const out = join(network.folder, `${transport}.creds`)
    const { stdout } = await request(
      ...['--name', 'bob', '--region', 'sgp1', '--transport', transport, '--out', out, '--json'],
    )
    const got = JSON.parse(stdout) as Record<string, unknown>
    const { user } = parseCreds(readFileSync(out, 'utf8'))
    t.like(got, { name: 'bob', role: 'member', region: 'sgp1', nkey: user.claims.sub })
    t.is(got['ends'], new Date((user.claims.exp ?? 0) * 1000).toISOString())
  })

test('the nats CLI publishes and subscribes with the file', async (t) => {
  const creds = join(network.folder, 'cli.creds')
  await request('--name', 'cli', '--out', creds)
  const ca = join(network.folder, 'ca.crt')
  writeFileSync(ca, network.network.file.ca)
  const env = { ...process.env, HOME: network.folder, XDG_CONFIG_HOME: network.folder }
  const at = (region: string) => [
    ...['--creds', creds, '--tlsca', ca],
    ...['--server', serversOf(network.network, region).join(',')],
  ]
  const subject = 'chat.KUBECON.posts.General'
  const heard = run(nats, [...at('sgp1'), 'sub', subject, '--count', '1', '--raw'], { env })
  let isHeard = false
  void heard.then(() => (isHeard = true))
  while (!isHeard) {
    const sent = await run(nats, [...at('ams3'), 'pub', subject, 'ahoy'], { env })
    t.is(sent.code, 0, sent.stderr)
  }
  t.is((await heard).stdout.trim(), 'ahoy')
})

test('a creds file is overwritten only when that is asked for', async (t) => {
  const file = join(network.folder, 'kept.creds')
  writeFileSync(file, 'mine')
  const refused = await request('--name', 'alice', '--out', file)
  t.is(refused.code, 1)
  t.is(
    refused.stderr,
    `request-credentials: exists: ${file}\ndo: name another file with --out, or overwrite it with --force\n`,
  )
  t.is(readFileSync(file, 'utf8'), 'mine')
  t.is((await request('--name', 'alice', '--out', file, '--force')).code, 0)
  t.is(parseCreds(readFileSync(file, 'utf8')).user.claims.name, 'alice')
  t.is(statSync(file).mode & 0o777, 0o600)
})

test('an invited person comes to the role and name of the invite', async (t) => {
  const [file, out] = ['carol.invite.json', 'carol.creds'].map((name) => join(network.folder, name))
  const issued = await invite(
    ...['--role', 'moderator', '--name', 'carol', '--ttl', '48h', '--out', file as string],
  )
  t.is(issued.code, 0, issued.stderr)
  t.is(statSync(file as string).mode & 0o777, 0o600)
  const got = await request('--invite', file as string, '--out', out as string, '--json')
  t.is(got.code, 0, got.stderr)
  t.like(JSON.parse(got.stdout), { name: 'carol', role: 'moderator' })
})

for (const [what, args, stderr] of [
  [
    'the lobby for a role by invitation',
    ['--name', 'mallory', '--role', 'moderator'],
    /role moderator is not given at this door: lobby\ndo: ask the operator for an invite/,
  ],
  ['a region that is not there', ['--name', 'a', '--region', 'ams4'], /unknown region: 'ams4'/],
  ['nobody', [], /no name: --name, or an invite that has one\ndo: give a name with --name/],
] as const)
  test(`a request for ${what} is refused and writes nothing`, async (t) => {
    const out = join(network.folder, `${what}.creds`)
    const refused = await request(...args, '--out', out)
    t.is(refused.code, 1)
    t.regex(refused.stderr, stderr)
    t.is(statSync(out, { throwIfNoEntry: false }), undefined)
  })
