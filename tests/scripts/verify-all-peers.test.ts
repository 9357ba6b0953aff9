import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { requestCertificate } from '../../core/identity/csr.ts'
import { leafnodeId } from '../../core/identity/names.ts'
import {
  formatUrl,
  type DoorPlace,
  type Endpoint,
  type RegionPlace,
  type ServerPlace,
} from '../../core/network/endpoint.ts'
import { connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { intermediatesFile } from '../../store/authority-files.ts'
import { openFiles } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { requireKey } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { signSvid } from '../../store/svid.ts'
import { runScript } from '../run-script.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const domain = 'archipelago.example'
const run = (...options: string[]) =>
  runScript('verify-peer', [
    ...['--archipelago', network.archipelagoFile],
    ...['--data-dir', join(network.folder, 'data'), ...options],
  ])
const verify = (...options: string[]) => run('--all', ...options)

test.serial('everything of a network fits, and what is inferred stands apart', async (t) => {
  const { code, stdout, stderr } = await verify('--fail-under', 'intermediate=30d,root=1y')
  t.is(code, 0, stdout + stderr)
  const [shown = '', connected = '', inferred = ''] = stdout
    .split(/^(?:observed|inferred), .*$/m)
    .slice(1)
  for (const listener of ['route', 'gateway', 'leafnode', 'workload'])
    t.is(shown.match(new RegExp(`-[0-9] ${listener} .*/nats/server-[0-9], left`, 'g'))?.length, 9)
  t.is(shown.match(/-[0-9] client .*: public, left: leaf /g)?.length, 9)
  t.is(shown.match(/-leafnode client .*\/nats\/leafnode, left: /g)?.length, 3)
  t.is(shown.match(/ https .*: public, left: /g)?.length, 9)
  t.is(shown.match(/-identity mtls .*\/function\/identity, left: /g)?.length, 3)
  t.is(connected.match(/^ {2}leafnode \w+-[0-9]#.*\/nats\/leafnode, serial /gm)?.length, 3)
  t.is(connected.match(/^ {2}leafnode \w+-leafnode#.*\/nats\/server-[0-9], serial /gm)?.length, 3)
  t.is(connected.match(/^ {2}client \w+-leafnode#.*\/function\/\w+, serial /gm)?.length, 9)
  const checked = (kind: string) =>
    inferred.match(
      new RegExp(`^  ${kind} .*: identity was checked at .*, under a certificate until `, 'gm'),
    )
  t.is(checked('route')?.length, 18)
  t.true((checked('gateway')?.length ?? 0) >= 18)
  t.is(checked('leafnode')?.length, 6)
  t.is(checked('client')?.length, 9)
  t.regex(stdout, /^✔ everything fits \(60 listeners, 15 connections, \d+ links\)$/m)
})

/** A listener of each kind in ams3, and its SPIFFE ID if it has one. */
function listeners(): readonly (readonly [string, Endpoint, string?])[] {
  const { servers, leafnode, doors } = network.supercluster.regions[0] as RegionPlace
  const [server] = servers as [ServerPlace]
  const door = doors.find((place) => place.door === 'identity') as DoorPlace
  return [
    ['client', server.client],
    ['route', server.route, 'nats/server-0'],
    ['gateway', server.gateway, 'nats/server-0'],
    ['leafnode', server.leafnode, 'nats/server-0'],
    ['workload', server.workload, 'nats/server-0'],
    ['leafnode server', leafnode.client, 'nats/leafnode'],
    ['HTTPS', door.https],
    ['mTLS', door.mtls, 'function/identity'],
  ]
}

test.serial('a listener of each kind fits, without being told what it speaks', async (t) => {
  const wishes = ['--fail-under', 'leaf=15m,intermediate=30d,root=1y']
  const ran = listeners().map(async ([kind, { host, port }, path]) => {
    const id = path === undefined ? [] : ['--expect-id', `spiffe://ams3.${domain}/${path}`]
    const issuer = path === undefined ? [] : ['--issuer', `spiffe://ams3.${domain}`]
    const { code, stdout, stderr } = await run(`${host}:${port}`, ...id, ...issuer, ...wishes)
    t.is(code, 0, `${kind}: ${stdout}${stderr}`)
    t.regex(
      stdout,
      path === undefined ? /^public: no SPIFFE ID$/m : new RegExp(`^identity: '.*/${path}'$`, 'm'),
    )
    t.is(stdout.match(/^(leaf|intermediate|root): /gm)?.length, 3)
  })
  await Promise.all(ran)
})

test.serial('programs read it as JSON', async (t) => {
  const { code, stdout } = await verify('--json')
  const { observed, connected, inferred } = JSON.parse(stdout)
  t.is(code, 0)
  t.is(observed.length, 9 * 5 + 3 + 9 + 3)
  t.is(connected.connections.length, 15)
  t.deepEqual([connected.findings, inferred.findings], [[], []])
})

test.serial('a link may be no older than is wished', async (t) => {
  const { code, stdout } = await verify('--link-age-max', '1s')
  t.is(code, 9)
  t.true((stdout.match(/✘ ERR_LINK_OLD {2}\w+ .* old, over 1s$/gm)?.length ?? 0) >= 48)
})

test.serial('leaves that end too soon are found at every listener', async (t) => {
  const { code, stdout } = await verify('--fail-under', 'leaf=9999d')
  t.is(code, 7)
  t.is(stdout.match(/✘ ERR_PEER_NEAR_END {2}leaf /g)?.length, 60)
})

/** By a function's key, and a certificate that its region's authority signed without recording it. */
async function connectUnrecorded(): Promise<NatsConnection> {
  const { homes, archipelago, supercluster } = network
  const { leafnode } = supercluster.regions[0] as RegionPlace
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  const place = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
  const { privateKey } = makeAuthorityKey()
  const request = requestCertificate(privateKey)
  const { chain } = await signSvid(store, place, { workload: 'unrecorded', request })
  const target = {
    servers: [formatUrl(leafnode.client)],
    ca: readFileSync(intermediatesFile(homes.public, 'identity', 'ams3'), 'utf8'),
    name: 'unrecorded',
    identity: {
      certificate: chain,
      key: formatPrivateKey(privateKey),
      peer: leafnodeId(archipelago, leafnode),
    },
  }
  const key = functionKeyFile(functionHome(homes, 'ams3', 'lobby'))
  return connectWithNkey(target, requireKey(openFiles(), 'user', key))
}

test.serial('a connection by a certificate that nobody recorded is a finding', async (t) => {
  const stranger = await connectUnrecorded()
  const { code, stdout } = await verify()
  await stranger.close()
  t.is(code, 8)
  const lines = stdout.match(/^ +✘ .*$/gm) ?? []
  t.is(lines.length, 1)
  t.regex(
    lines[0] ?? '',
    /ERR_CERTIFICATE_UNKNOWN {2}client ams3-leafnode#.*: no record of [0-9a-f]{64}$/,
  )
  t.regex(stdout, /^✘ findings: 1 \(/m)
})

test.serial('a server that hangs is named, and all others are looked at', async (t) => {
  const { supercluster } = network
  supercluster.signal('sfo2-1', 'SIGSTOP')
  const { code, stdout } = await verify('--timeout', '1s').finally(() =>
    supercluster.signal('sfo2-1', 'SIGCONT'),
  )
  t.is(code, 1)
  t.is(stdout.match(/^ {2}sfo2-1 \w+ .*: nothing shown$/gm)?.length, 5)
  t.is(
    stdout.match(/✘ ERR_CONNECT {2}cannot connect to .*: no answer within 1000 ms$/gm)?.length,
    5,
  )
  t.regex(stdout, /✘ ERR_NO_ANSWER {2}sfo2-1: does not list its connections$/m)
  t.is(stdout.match(/, left: leaf /g)?.length, 55)
})

test.serial('a network that is down is said, for programs too', async (t) => {
  await network.supercluster.stop()
  const { code, stdout } = await verify('--json')
  t.is(code, 1)
  const { observed, connected } = JSON.parse(stdout)
  t.is(observed.length, 60)
  t.like(connected.findings, [{ misfit: 'silent', code: 'ERR_CONNECT' }])
})
