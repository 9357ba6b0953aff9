import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { purposeId } from '../../core/identity/extensions.ts'
import { formatExitCodes } from '../../core/identity/format-peer.ts'
import { laptopConstraints } from '../core/identity/example.ts'
import {
  commonName,
  constraints,
  dayMs,
  forgeAuthority,
  forgeLeaf,
  forgeRoot,
  minuteMs,
  names,
  purposes,
  type Forged,
} from '../core/identity/forge.ts'
import { runScript } from '../run-script.ts'
import { startTestServer, type TestServer } from '../test-server.ts'

const nowMs = Date.now()
const year = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + 365 * dayMs }
const hour = { notBeforeMs: nowMs - minuteMs, notAfterMs: nowMs + 60 * minuteMs }
const id = 'spiffe://ams3.example/nats/server-0'
const other = 'spiffe://ams3.example/nats/server-1'

const identityRoot = forgeRoot({
  ...year,
  subject: commonName('identity root'),
  extensions: { names: names({ uris: ['spiffe://example'] }) },
})
const publicRoot = forgeRoot({
  ...year,
  subject: commonName('public root'),
  extensions: { names: undefined },
})
const ams3 = forgeAuthority(identityRoot, 'ams3', {
  ...year,
  extensions: { constraints: constraints(laptopConstraints('ams3')) },
})
const open = forgeAuthority(publicRoot, 'ams3', {
  ...year,
  subject: commonName('ams3 public'),
  extensions: { names: undefined, constraints: undefined },
})
const withNames = (of: Parameters<typeof names>[0]) =>
  forgeLeaf(ams3, { ...hour, extensions: { names: names({ ...of, ips: ['127.0.0.1'] }) } })
const leaf = withNames({ uris: [id] })
const outside = forgeLeaf(open, {
  ...hour,
  extensions: { purposes: purposes(purposeId.serverAuth), names: names({ dns: ['localhost'] }) },
})

const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 })
  return join(folder, name)
}
const roots = write('roots.pem', formatCertificates([identityRoot, publicRoot]))
const pemOf = (...chain: readonly Forged[]) => ({
  cert: formatCertificates(chain),
  key: (chain[0] as Forged).pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
})

const servers: Server[] = []
const sockets = new Set<Socket>()
let nats: TestServer
test.before(async () => {
  const { cert, key } = pemOf(leaf, ams3)
  nats = await startTestServer({
    tls: { cert_file: write('nats.crt', cert), key_file: write('nats.key', key) },
  })
})
test.after.always(async () => {
  await nats?.[Symbol.asyncDispose]()
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function listen(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
const serve = (...chain: readonly Forged[]) => listen(createHttps(pemOf(...chain)))
const verify = (peer: string, ...options: string[]) =>
  runScript('verify-peer', [peer, '--roots', roots, ...options])
const natsAddress = () => new URL(nats.url).host

const limits = 'leaf=15m,intermediate=30d,root=300d'

test('what a nats-server shows fits, and is printed to the root', async (t) => {
  const wishes = ['--expect-id', id, '--issuer', 'spiffe://ams3.example', '--fail-under', limits]
  const { code, stdout, stderr } = await verify(natsAddress(), ...wishes)
  t.is(code, 0, stdout + stderr)
  t.regex(stdout, /^127\.0\.0\.1:\d+: NATS, TLSv1\.3\nidentity: 'spiffe:\/\/ams3/)
  t.regex(stdout, /^leaf: CN=ams3-0\n {2}names {4}URI:spiffe:\/\/ams3.example\/nats\/server-0/m)
  t.regex(stdout, /^ {2}valid .*, 59 m left$/m)
  t.regex(stdout, /^intermediate: CN=ams3 authority$/m)
  t.regex(stdout, /^root: CN=identity root \(not shown: from the file of roots\)$/m)
  t.regex(stdout, /^ {2}sha256 {3}[0-9a-f]{64}$/m)
  t.regex(stdout, /^✔ fits$/m)
})

test('programs read it as JSON', async (t) => {
  const { code, stdout } = await verify(natsAddress(), '--json')
  const { protocol, kind, id: found, certificates, findings } = JSON.parse(stdout)
  t.deepEqual([code, protocol, kind, found, findings], [0, 'NATS, TLSv1.3', 'identity', id, []])
  t.is(certificates.length, 3)
})

test('a public certificate fits for the name that is asked for', async (t) => {
  const { code, stdout } = await verify(await serve(outside, open), '--name', 'localhost')
  t.is(code, 0, stdout)
  t.regex(stdout, /^public: no SPIFFE ID$/m)
})

const misfits: readonly [string, number, readonly Forged[], readonly string[], RegExp][] = [
  ['a chain without its intermediate', 3, [leaf], [], /ERR_CHAIN_UNTRUSTED/],
  [
    'a leaf that has ended',
    3,
    [forgeLeaf(ams3, { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs - 2 * minuteMs }), ams3],
    [],
    /ERR_CERTIFICATE_EXPIRED .*this clock says/,
  ],
  [
    'a leaf of an issuer whose clock is ten minutes ahead',
    3,
    [forgeLeaf(ams3, { notBeforeMs: nowMs + 10 * minuteMs, notAfterMs: nowMs + dayMs }), ams3],
    [],
    /ERR_CERTIFICATE_NOT_YET_VALID .*its issuer's clock said 20\S+Z or later, this clock says 20/,
  ],
  [
    'a leaf without URI name',
    4,
    [withNames({ dns: ['x.ams3.example'] }), ams3],
    [],
    /ERR_SVID_URI_NONE/,
  ],
  [
    'a leaf with two URI names',
    4,
    [withNames({ uris: [id, other] }), ams3],
    [],
    /ERR_SVID_URI_MANY/,
  ],
  [
    'another identity',
    5,
    [leaf, ams3],
    ['--expect-id', other],
    /ERR_PEER_ID .*server-1': '.*server-0'/,
  ],
  ['another issuer', 6, [leaf, ams3], ['--issuer', 'sfo2 authority'], /ERR_PEER_ISSUER/],
  ['a leaf near its end', 7, [leaf, ams3], ['--fail-under', 'leaf=2h'], /59 m left, under 2h/],
  ['a root near its end', 7, [leaf, ams3], ['--fail-under', 'root=2y'], /root .*left, under 730d/],
  [
    'a public certificate for another name',
    10,
    [outside, open],
    [],
    /ERR_PEER_NAME .*DNS:localhost/,
  ],
]

for (const [what, code, chain, options, message] of misfits) {
  test(`HTTPS with ${what} ends with ${code}`, async (t) => {
    const ran = await verify(await serve(...chain), ...options)
    t.is(ran.code, code, ran.stdout + ran.stderr)
    t.regex(ran.stdout, message)
    t.notRegex(ran.stdout, /✔/)
  })

  test(`nats-server with ${what} ends with ${code}`, async (t) => {
    const { cert, key } = pemOf(...chain)
    const files = {
      cert_file: write(`${what}.crt`, cert),
      key_file: write(`${what}.key`, key),
      ca_file: roots,
    }
    // It asks for a certificate that verify-peer does not have: what it shows comes first.
    await using server = await startTestServer({ tls: { ...files, verify: true } })
    const ran = await verify(new URL(server.url).host, ...options)
    t.is(ran.code, code, ran.stdout + ran.stderr)
    t.regex(ran.stdout, message)
  })
}

test('a nats-server without TLS ends with 3', async (t) => {
  await using server = await startTestServer({})
  const { code, stderr } = await verify(new URL(server.url).host)
  t.is(code, 3)
  t.regex(stderr, /^verify-peer: 127\.0\.0\.1:\d+ speaks NATS without TLS\ndo: .* port /)
})

test('a peer that says nothing ends with 1, in time', async (t) => {
  const { code, stderr } = await verify(await listen(createTcp()), '--timeout', '1s')
  t.is(code, 1)
  t.regex(stderr, /^verify-peer: cannot connect to .*: no answer within 1000 ms\ndo: /)
})

test('a peer that speaks something else ends with 3', async (t) => {
  const mail = createTcp((client) => client.write('220 mail\r\n'))
  const { code, stderr } = await verify(await listen(mail))
  t.is(code, 3)
  t.regex(stderr, /^verify-peer: 127\.0\.0\.1:\d+ says '220 mail.*' without TLS\ndo: /)
})

test('a port on which nobody listens ends with 1, for programs too', async (t) => {
  const { code, stderr, stdout } = await verify('127.0.0.1:1', '--json')
  t.is(code, 1)
  t.regex(stderr, /ECONNREFUSED/)
  t.like(JSON.parse(stdout).findings[0], { misfit: 'silent', code: 'ERR_CONNECT' })
})

const wrong: readonly [string, readonly string[], RegExp][] = [
  ['no peer', [], /name one peer, as host:port, or --all/],
  [
    'an ID of all',
    ['--all', '--expect-id', id],
    /'--all' cannot be used with .*'--expect-id <id>'/,
  ],
  ['links of one', ['localhost:1', '--link-age-max', '1h'], /--link-age-max is for --all/],
  ['a peer and --all', ['127.0.0.1:1', '--all'], /name one peer, as host:port, or --all/],
  ['a peer without port', ['localhost'], /not host:port, .*: 'localhost'/],
  ['a port that is none', ['localhost:65536'], /not host:port/],
  ['port 0', ['localhost:0'], /not host:port/],
  ['a bare IPv6 address', ['::1:4222'], /an IPv6 address in brackets: '::1:4222'/],
  ['an unknown option', ['localhost:1', '--nonsense'], /unknown option/],
  ['an illegal ID', ['localhost:1', '--expect-id', 'spiffe://A/b'], /illegal SPIFFE ID/],
  ['an illegal limit', ['localhost:1', '--fail-under', 'leaf=soon'], /illegal duration: 'soon'/],
  [
    'a file that is not there',
    ['localhost:1', '--roots', join(folder, 'none')],
    /no roots at .*none\ndo: /,
  ],
  [
    'roots that are authorities below',
    ['localhost:1', '--roots', write('ams3.pem', formatCertificates([identityRoot, ams3]))],
    /not a root: 'spiffe:\/\/ams3\.example'/,
  ],
  [
    'roots that are leaves',
    ['localhost:1', '--roots', write('leaf.pem', formatCertificates([leaf]))],
    /not a root: 'spiffe:/,
  ],
  [
    'a key in place of roots',
    ['localhost:1', '--roots', write('a.key', pemOf(leaf).key)],
    /illegal PEM/,
  ],
]

for (const [what, args, message] of wrong)
  test(`it ends with 2 for ${what}`, async (t) => {
    const { code, stderr } = await runScript('verify-peer', ['--roots', roots, ...args])
    t.is(code, 2, stderr)
    t.regex(stderr, message)
    t.notRegex(stderr, /PRIVATE KEY-|MC4CAQ|MIGH/)
  })

test('help and documents say what each exit code means', async (t) => {
  const { stdout } = await runScript('verify-peer', ['--help'])
  const document = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const table = formatExitCodes().join('\n')
  t.true(stdout.includes(table))
  t.true(document.includes(`\`\`\`text\n${table}\n\`\`\``))
})
