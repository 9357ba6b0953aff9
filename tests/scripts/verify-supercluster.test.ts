import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { formatUrl } from '../../core/network/endpoint.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { serverPaths } from '../../laptop/layout.ts'
import { rootsFile } from '../../store/authority-files.ts'
import { homesOf } from '../../store/homes.ts'
import { startSupercluster, type Supercluster } from '../../laptop/supercluster.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { credsText } from '../laptop/bare-trust.ts'
import { runScript } from '../run-script.ts'
import { until } from '../until.ts'

const network = await makeBareNetwork({ servers: 2 })
const { data } = network
let supercluster: Supercluster
let servers = ''

test.before(async () => {
  supercluster = await startSupercluster(network.options)
  const places = supercluster.regions.flatMap((region) => region.servers)
  servers = places.map(({ client }) => formatUrl(client)).join(',')
})

test.after.always(async () => {
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
})

function credsFile(name: string, creds: Creds): string {
  const file = join(data, `${name}.creds`)
  writeFileSync(file, credsText(creds), { mode: 0o600 })
  return file
}

function verify(...options: string[]) {
  const ca = ['--ca', rootsFile(homesOf(data).public, 'public')]
  const creds = ['--creds', credsFile('observer', network.observer)]
  return runScript('verify-supercluster', [...['--servers', servers], ...ca, ...creds, ...options])
}

const asStarted = ['--regions', 'ams3,sfo2,sgp1', '--servers-per-region', '2']

test.serial('a whole network is as expected, and its matrix is shown', async (t) => {
  const { code, stdout } = await verify(...asStarted)
  t.is(code, 0, stdout)
  t.regex(stdout, /^6 of 6 servers answer, nats-server 2\.\d+\.\d+$/m)
  t.regex(stdout, /^ +to ams3 +to sfo2 +to sgp1$/m)
  t.regex(stdout, /^from sfo2 +2\/2 \d+\.\d ms +2\/2 routed +2\/2 \d+\.\d ms$/m)
  t.regex(stdout, /^sgp1-leafnode: connected to sgp1-[01]$/m)
  t.regex(stdout, /^reloads: not checkable without --expect$/m)
  t.regex(stdout, /^✔ as expected$/m)
})

test.serial('what should be there and is not, is named', async (t) => {
  const { code, stdout } = await verify(
    '--regions',
    'ams3,sfo2,sgp1,nyc3',
    '--servers-per-region',
    '2',
  )
  t.is(code, 1)
  t.regex(stdout, /^6 of 8 servers answer/m)
  t.regex(stdout, /^✘ server-missing +nyc3-0: no answer$/m)
  t.regex(stdout, /^✘ gateway-outbound-missing +ams3-0: no outbound gateway to nyc3$/m)
  t.regex(stdout, /^✘ leafnode-missing +nyc3-leafnode: connected to no server of nyc3$/m)
})

test.serial('what is there and should not be, is named', async (t) => {
  const { code, stdout } = await verify('--regions', 'ams3,sfo2', '--servers-per-region', '2')
  t.is(code, 1)
  t.regex(stdout, /^✘ server-unknown +sgp1-0: a server that nobody expects, in cluster sgp1$/m)
})

test.serial('programs read it as JSON', async (t) => {
  const { code, stdout } = await verify(...asStarted, '--json')
  t.is(code, 0)
  const { servers, matrix, reloads, findings } = JSON.parse(stdout)
  t.deepEqual([servers.length, matrix.length, findings], [6, 3, []])
  t.is(reloads, 'not checkable without --expect')
})

test.serial('a configuration that was changed and not loaded is found by its digest', async (t) => {
  const whole = await verify(...asStarted, '--expect', data)
  t.is(whole.code, 0, whole.stdout)
  t.regex(whole.stdout, /^reloads: every server runs its configuration$/m)
  const server = supercluster.regions[1]?.servers[0]
  if (server === undefined) return t.fail()
  const { configuration } = serverPaths(data, server)
  const before = readFileSync(configuration, 'utf8')
  writeFileSync(configuration, before.replace('ping_max: 2', 'ping_max: 3'))
  const changed = await verify(...asStarted, '--expect', data)
  t.is(changed.code, 1)
  t.regex(changed.stdout, /^reloads: 1 not taken$/m)
  t.regex(changed.stdout, /^✘ digest-differs +sfo2-0: runs the configuration sha256:/m)
  writeFileSync(configuration, before)
})

test.serial('a server that hangs is missing', async (t) => {
  supercluster.signal('sgp1-1', 'SIGSTOP')
  const { code, stdout } = await verify(...asStarted)
  supercluster.signal('sgp1-1', 'SIGCONT')
  t.is(code, 1)
  t.regex(stdout, /^✘ server-missing +sgp1-1: no answer$/m)
  await supercluster.awaitMesh(30_000)
})

const unaskable: readonly [string, () => readonly string[], RegExp][] = [
  ['nobody listens', () => ['--servers', 'tls://127.0.0.1:1'], /cannot connect to tls:\/\/127/],
  [
    'the authority is another one',
    () => ['--ca', join(import.meta.dirname, '../../package.json')],
    /cannot connect/,
  ],
  [
    'the credential is of another account',
    () => ['--creds', credsFile('member', network.member)],
    /no server answers|no responders/,
  ],
  [
    'a configuration is missing',
    () => ['--expect', join(data, 'ams3')],
    /no configuration of sfo2-0/,
  ],
  ['the timeout is no duration', () => ['--timeout', 'soon'], /illegal duration: 'soon'/],
  ['the number of servers is none', () => ['--servers-per-region', '0'], /is a number from 1: '0'/],
  ['an option is unknown', () => ['--nonsense'], /unknown option/],
]

for (const [what, options, message] of unaskable) {
  test.serial(`it ends with 2 when ${what}`, async (t) => {
    const { code, stdout, stderr } = await verify(...asStarted, ...options())
    t.is(code, 2, stdout + stderr)
    t.regex(stderr, message)
  })
}

test.serial('it ends with 2 when the network is down', async (t) => {
  await supercluster.stop()
  const { code, stderr } = await verify(...asStarted)
  t.is(code, 2)
  t.regex(stderr, /^verify-supercluster: cannot connect/)
  t.regex(stderr, /^do: /m)
  await until('no process is left', () => supercluster.pids().size === 0)
})
