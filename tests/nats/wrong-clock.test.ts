// A server whose certificates were issued by a clock that is ten minutes off: to whoever dials it, that
// is the same as a wrong clock of his own.
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { parseSpiffeId, parseTrustDomain } from '../../core/identity/spiffe-id.ts'
import { holdCertificate } from '../../functions/certificates/held.ts'
import { connector } from '../../functions/provisioning/connector.ts'
import { connectWithNkey, type Target } from '../../nats/connect.ts'
import { workloadTarget } from '../../nats/workload-target.ts'
import { post } from '../../requestor/post.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { makeNkeyPair, makeNkeyTexts } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { laptopConstraints, makeAuthority, makeLeaf, makeRoot } from '../core/identity/example.ts'
import { startStopwatch } from '../stopwatch.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { startTestServer, type TestServer } from '../test-server.ts'
import { until } from '../until.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const name = 'test'
const peer = parseSpiffeId('spiffe://ams3.example/nats/server-0')
const root = await makeRoot(Date.now() - dayMs, 'example')
const authority = await makeAuthority(root, 'ams3', Date.now() - dayMs, laptopConstraints('ams3'))
const ca = formatCertificates([authority.certificate])
const nkey = makeNkeyTexts('user')

/** Issued now by a clock that is so far off; for a leaf of five minutes, behind means that it is over. */
async function issue(shiftMs: number) {
  const leaf = await makeLeaf(
    authority,
    { id: peer, ips: ['127.0.0.1'] },
    Date.now() + shiftMs,
    300,
  )
  const certificate = formatCertificates([leaf.certificate, authority.certificate])
  return { certificate, key: formatPrivateKey(leaf.pair.privateKey) }
}
const own = await issue(0)
const bundle = { refreshHintSeconds: 300, authorities: [authority.certificate], jwtKeys: new Map() }
const bundles = new Map([[parseTrustDomain('ams3.example'), bundle]])

interface Dialled extends AsyncDisposable {
  readonly server: TestServer
  readonly websocket: string
  dials(): number
  /** From now on it shows a certificate of another clock. */
  show(shiftMs: number): Promise<void>
}

async function startServer(t: ExecutionContext, shiftMs: number): Promise<Dialled> {
  const folder = temporaryFolder(t)
  const files = {
    cert_file: join(folder, 'crt'),
    key_file: join(folder, 'key'),
    ca_file: join(folder, 'ca'),
  }
  const write = async (ms: number): Promise<void> => {
    const { certificate, key } = await issue(ms)
    writeFileSync(files.cert_file, certificate)
    writeFileSync(files.key_file, key)
  }
  writeFileSync(files.ca_file, ca)
  await write(shiftMs)
  const tls = { ...files, verify: true }
  const authorization = { users: [{ nkey: nkey.publicKey }] }
  const websocket = { listen: '127.0.0.1:-1', tls }
  const server = await startTestServer({ tls, authorization, websocket, debug: true })
  const log = (): string => readFileSync(join(server.folder, 'log'), 'utf8')
  const ports = readdirSync(server.folder).find((file) => file.endsWith('.ports')) as string
  const {
    websocket: [url = ''],
  } = JSON.parse(readFileSync(join(server.folder, ports), 'utf8')) as { websocket: string[] }
  return {
    server,
    websocket: url,
    dials: () => log().match(/lient connection created/g)?.length ?? 0,
    show: async (ms) => {
      await write(ms)
      await server.reload({
        tls,
        authorization,
        websocket: { ...websocket, listen: new URL(url).host },
        debug: true,
      })
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const clocks = [
  [
    'ten minutes ahead',
    10 * minuteMs,
    /its certificate begins 20\S+Z by its issuer's clock, this clock says 20\S+Z$/,
  ],
  [
    'ten minutes behind',
    -10 * minuteMs,
    /its certificate ended 20\S+Z by its issuer's clock, this clock says 20\S+Z$/,
  ],
] as const

for (const [what, shiftMs, message] of clocks) {
  test(`a server ${what} is refused with both clocks, after one dial`, async (t) => {
    await using dialled = await startServer(t, shiftMs)
    const { server, websocket } = dialled
    const tls = `tls://${server.url.replace('nats://', '')}`
    const targets: readonly Target[] = [
      { name, servers: [tls], ca, identity: { ...own, peer } },
      { name, servers: [tls], ca: formatCertificates([root.certificate]) },
      workloadTarget({ ...own, bundles }, { name, servers: [websocket] }),
    ]
    for (const target of targets) {
      let dials = 0
      const counted = { ...target, onHandshake: () => (dials += 1) }
      await t.throwsAsync(connectWithNkey(counted, makeNkeyPair('user')), {
        code: 'ERR_CONNECT',
        message,
      })
      t.is(dials, 1)
    }
  })

  test(`an HTTPS listener ${what} is refused with both clocks, once`, async (t) => {
    const { certificate: cert, key } = await issue(shiftMs)
    let handshakes = 0
    const server = createServer({ cert, key }).on('connection', () => (handshakes += 1))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => void server.close())
    const { port } = server.address() as AddressInfo
    const asked = post(`https://127.0.0.1:${port}/`, {
      body: '',
      type: 'application/json',
      tls: { ca: formatCertificates([root.certificate]) },
      deadlineMs: 5_000,
    })
    await t.throwsAsync(asked, { code: 'ERR_CONNECT', message })
    t.is(handshakes, 1)
  })
}

for (const [what, shiftMs, message] of clocks) {
  test(`a certificate of ours ${what} is refused with both clocks, and not after a timeout`, async (t) => {
    await using dialled = await startServer(t, 0)
    const { server, websocket } = dialled
    const wrong = await issue(shiftMs)
    const targets: readonly Target[] = [
      { name, servers: [server.url], ca, identity: { ...wrong, peer } },
      workloadTarget({ ...wrong, bundles }, { name, servers: [websocket] }),
    ]
    const stop = startStopwatch()
    for (const target of targets) {
      let dials = 0
      const counted = { ...target, onHandshake: () => (dials += 1) }
      await t.throwsAsync(connectWithNkey(counted, makeNkeyPair('user')), {
        code: 'ERR_CONNECT',
        message:
          /: it refuses our certificate: our certificate (begins|ended) 20\S+Z by its issuer's clock, this clock says 20\S+Z$/,
      })
      t.is(dials, 1)
    }
    t.true(stop() < 5_000)
  })

  test(`a function ${what} says why it is not there, and comes when that is mended`, async (t) => {
    await using dialled = await startServer(t, shiftMs)
    const folder = temporaryFolder(t)
    const files = {
      certificate: join(folder, 'crt'),
      key: join(folder, 'key'),
      trusted: join(folder, 'ca'),
    }
    writeFileSync(files.certificate, own.certificate)
    writeFileSync(files.key, own.key)
    writeFileSync(files.trusted, ca)
    writeFileSync(functionKeyFile(folder), nkey.seed)
    const [lines, dials]: [string[], number[]] = [[], []]
    const nats = { servers: [dialled.server.url], files, peer }
    const folders = { keysFolder: folder, publicFolder: folder }
    const { connect } = connector(
      { region: 'ams3', door: 'lobby', folders, nats },
      holdCertificate(files),
      (line) => {
        lines.push(line)
        dials.push(dialled.dials())
      },
    )
    const connecting = connect({ waitOnFirstConnect: true })
    await until('it is refused twice', () => lines.length >= 2)
    t.deepEqual(dials.slice(0, 2), [1, 2])
    t.regex(lines[0] ?? '', message)
    t.regex(lines[1] ?? '', /\(2 times\)$/)
    await dialled.show(0)
    const connection = await connecting
    await connection.close()
  })
}
