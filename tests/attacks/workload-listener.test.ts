// What comes to the listener for workloads without being one, and where a workload's credential or
// certificate is tried besides. Each refusal is tried again on a server without what refuses it.
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { join } from 'node:path'
import test from 'ava'
import { WebSocket } from 'ws'
import { formatCertificates, parseCertificate } from '../../core/identity/certificate.ts'
import type { Configuration } from '../../core/network/configuration.ts'
import { formatUrl, type RegionPlace } from '../../core/network/endpoint.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import { planNetwork, writePlan } from '../../laptop/configurations.ts'
import { publicPaths } from '../../laptop/layout.ts'
import { readIntermediates, rootsFile } from '../../store/authority-files.ts'
import { openFiles, writePrivate } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { mayPublish } from '../../nats/permission.ts'
import { laptopConstraints, makeAuthority, makeRoot } from '../core/identity/example.ts'
import { forgeLeaf, names } from '../core/identity/forge.ts'
import { firstLine, hearListener, type Shown } from '../hear-listener.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'
import { startTestServer, type TestServer } from '../test-server.ts'
import { until } from '../until.ts'
import { credsText } from '../laptop/bare-trust.ts'
import {
  authorityOf,
  connectWorkload,
  makeWorkAccount,
  mintSvid,
  mintUser,
  type Svid,
} from '../workloads.ts'

const network = await makeBareNetwork({ regions: 2, servers: 1 })
const { data, options } = network
const homes = homesOf(data)
const work = makeWorkAccount(network)
const plan = await planNetwork(data, { ...options, trust: work.trust })
writePlan(data, plan)

const sfo2 = plan.regions.find(({ name }) => name === 'sfo2') as RegionPlace
const [place] = sfo2.servers
const [ams3Authority, sfo2Authority] = [authorityOf(network, 'ams3'), authorityOf(network, 'sfo2')]
const serverAuthority = formatCertificates([sfo2Authority.certificate])
const id = 'spiffe://ams3.archipelago.example/workload/exporter'
const genuine = await mintSvid(id, ams3Authority)

const otherRoot = await makeRoot(Date.now(), 'example')
const otherAuthority = await makeAuthority(otherRoot, 'ams3', Date.now(), laptopConstraints('ams3'))

/** What sfo2's server is configured with, as far as it concerns clients, leafnodes and workloads. */
function configured(): Configuration & { readonly websocket: Configuration } {
  const planned = plan.servers.find(({ name }) => name === 'sfo2-0')?.configuration ?? {}
  const { listen, tls, http, leafnodes, websocket, operator } = planned
  const { pinned_certs: _, ...leafnodeTls } = Object(Object(leafnodes).tls)
  return {
    ...{ listen, tls, http, websocket, operator },
    system_account: planned['system_account'],
    resolver_preload: planned['resolver_preload'],
    leafnodes: { ...Object(leafnodes), tls: leafnodeTls },
    resolver: 'MEMORY',
  } as never
}

const withTls = (change: Configuration): Configuration => {
  const { websocket, ...rest } = configured()
  return { ...rest, websocket: { ...websocket, tls: { ...Object(websocket['tls']), ...change } } }
}

const meshFile = String(Object(configured().websocket['tls']).ca_file)

/** A file of authorities: those of the mesh, and more. */
function trusting(name: string, ...more: readonly string[]): Configuration {
  const file = join(data, `${name}.pem`)
  writePrivate(file, [readFileSync(meshFile, 'utf8'), ...more].join(''))
  return { ca_file: file }
}

const admitted = /^HTTP\/1\.1 400 /
const hear = (shown?: Svid) => {
  const own: Partial<Shown> = shown === undefined ? {} : { cert: shown.certificate, key: shown.key }
  return hearListener(place?.workload as never, serverAuthority, { ...own, asks: true })
}

const publicFiles = place ? publicPaths(data, place) : { certificate: '', key: '' }
const publicPair = {
  certificate: readFileSync(publicFiles.certificate, 'utf8'),
  key: readFileSync(publicFiles.key, 'utf8'),
}
const hour = 3600_000

interface Stranger {
  readonly who: string
  readonly shown?: Svid
  /** What has to be taken out for him. */
  readonly without: Configuration
}

const strangers: readonly Stranger[] = [
  { who: 'nobody, without a certificate', without: { verify: false } },
  {
    who: "somebody by another root's certificate",
    shown: await mintSvid('spiffe://ams3.example/workload/exporter', otherAuthority),
    without: trusting('other-root', formatCertificates([otherAuthority.certificate])),
  },
  { who: "a server's public certificate", shown: publicPair, without: { verify: false } },
  {
    who: 'a workload whose certificate has ended',
    shown: await mintSvid(id, ams3Authority, Date.now() - 2 * hour),
    without: { verify: false },
  },
]

test.after.always(() => network[Symbol.asyncDispose]())

for (const { who, shown, without } of strangers)
  test.serial(`not admitted: ${who}`, async (t) => {
    {
      await using _ = await startTestServer(configured())
      t.regex(await hear(genuine), admitted)
      t.is(await hear(shown), '')
    }
    await using _ = await startTestServer(withTls(without))
    t.regex(await hear(shown), admitted)
  })

test.serial(
  'a public certificate is no identity even where its authority is trusted',
  async (t) => {
    const files = openFiles()
    const authorities = readIntermediates(files, homes, { kind: 'public', region: 'sfo2' })
    const root = readFileSync(rootsFile(homes.public, 'public'), 'utf8')
    const change = trusting('public', formatCertificates(authorities), root)
    await using _ = await startTestServer(withTls(change))
    t.is(await hear(publicPair), '')
  },
)

/** Comes, and keeps what the server gives to come again more easily. */
async function keepTicket({ certificate: cert, key }: Svid): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const socket = dialTls({ cert, key })
  socket.once('session', resolve)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const ticket = await promise
  socket.destroy()
  return ticket
}

const dialTls = (shown: Shown & { readonly session?: Buffer }) =>
  connectTls({
    host: place?.workload.host,
    port: place?.workload.port,
    ca: serverAuthority,
    allowPartialTrustChain: true,
    ...shown,
  })

async function comeAgain({ certificate: cert, key }: Svid, session: Buffer) {
  const socket = dialTls({ cert, key, session })
  let isReused = false
  socket.once('secureConnect', () => (isReused = socket.isSessionReused()))
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  return { said: await firstLine(socket), isReused }
}

test.serial(
  'an authority that is withdrawn while the server runs is no way in, nor is a ticket of before',
  async (t) => {
    await using server: TestServer = await startTestServer(configured())
    const ticket = await keepTicket(genuine)
    const { said, isReused } = await comeAgain(genuine, ticket)
    t.regex(said, admitted)
    t.true(isReused)
    const left = join(data, 'withdrawn.pem')
    writePrivate(left, serverAuthority)
    await server.reload(withTls({ ca_file: left }))
    t.is(await hear(genuine), '')
    t.is((await comeAgain(genuine, ticket)).said, '')
    const neighbour = await mintSvid('spiffe://sfo2.archipelago.example/workload/x', sfo2Authority)
    t.regex(await hear(neighbour), admitted)
    await server.reload(configured())
    t.regex(await hear(genuine), admitted)
  },
)

const workloadUrl = `wss://127.0.0.1:${place?.workload.port}`
const clientUrl = formatUrl(place?.client as never)

/** With what it has, everywhere. */
const come = {
  workload: (creds: ReturnType<typeof mintUser>) =>
    connectWorkload(network, { servers: [workloadUrl], svid: genuine, creds }),
  client: (creds: ReturnType<typeof mintUser>) => network.connect(creds, [clientUrl]),
}
const refused = { code: 'ERR_CONNECT', message: /Authorization Violation/ } as const

test.serial("a workload's credential is good at its listener and nowhere else", async (t) => {
  await using _ = await startTestServer(configured())
  const creds = mintUser(work, 'identity')
  const nc = await come.workload(creds)
  t.true(await mayPublish(nc, 'metrics.cpu'))
  t.false(await mayPublish(nc, 'chat.KUBECON.online'))
  await nc.close()
  await t.throwsAsync(come.client(creds), refused)
  // By a ceiling that names no connections the same key's users come in by the open door.
  await (await come.client(mintUser(work, 'any'))).close()
})

test.serial("a member's credential is no way in beside a workload's certificate", async (t) => {
  await using _ = await startTestServer(configured())
  const creds = mintUser(work, 'lobby')
  await (await come.client(creds)).close()
  await t.throwsAsync(come.workload(creds), refused)
  await (await come.workload(mintUser(work, 'any'))).close()
})

for (const [what, body] of [
  ['connections', { allowed_connection_types: ['STANDARD', 'LEAFNODE', 'LEAFNODE_WS'] }],
  ['limits and connections', { subs: -1, data: -1, payload: -1, allowed_connection_types: [] }],
] as const)
  test.serial(`a thief of the signing key cannot give its users other ${what}`, async (t) => {
    await using _ = await startTestServer(configured())
    const pair = makeNkeyPair('user')
    const nats = { issuer_account: work.publicKey, ...body, type: 'user', version: 2 }
    const claims = { iat: 1, exp: 4_000_000_000, sub: pair.publicKey, name: 'thief', nats }
    const user = encodeJwt(claims, work.keys.identity) as never
    await t.throwsAsync(come.client({ user, pair }), refused)
    await t.throwsAsync(come.workload({ user, pair }), refused)
  })

/** Opens a WebSocket by the genuine certificate; hears the first thing that is said, or why not. */
function open(path: string, headers: Record<string, string> = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = new WebSocket(`${workloadUrl}${path}`, {
    ...{ cert: genuine.certificate, key: genuine.key, ca: serverAuthority, headers },
    allowPartialTrustChain: true,
  })
  socket.once('message', (said: Buffer) => resolve(said.toString()))
  socket.once('error', ({ message }) => resolve(message))
  socket.once('close', () => resolve('closed'))
  return promise.finally(() => socket.terminate())
}

test.serial('a page of a browser is turned away, whatever certificate its user has', async (t) => {
  const page = { origin: 'https://thief.example' }
  {
    await using _ = await startTestServer(configured())
    t.regex(await open('/'), /^INFO /)
    t.is(await open('/', page), 'Unexpected server response: 403')
  }
  const { websocket, ...rest } = configured()
  await using _ = await startTestServer({
    ...rest,
    websocket: { ...websocket, same_origin: false },
  })
  t.regex(await open('/', page), /^INFO /)
})

/** Two identities in one certificate, which this project never issues. */
function forgeTwofold(): Svid {
  const { certificate, key } = ams3Authority
  const pair = { privateKey: key, publicKey: certificate.openssl.publicKey }
  const forged = forgeLeaf(
    { der: certificate.der, pair, subject: certificate.subject },
    {
      notBeforeMs: Date.now() - 60_000,
      notAfterMs: Date.now() + hour,
      extensions: { names: names({ uris: [id, `${id}-too`] }) },
    },
  )
  const chain = [parseCertificate(forged.der), certificate]
  return { certificate: formatCertificates(chain), key: formatPrivateKey(forged.pair.privateKey) }
}

test.serial(
  'of two identities nats-server itself thinks nothing: who audits finds them',
  async (t) => {
    await using _ = await startTestServer(configured())
    t.regex(await hear(forgeTwofold()), admitted)
  },
)

/** A leafnode server that comes by the listener for workloads. */
async function comeAsLeafnode(creds: ReturnType<typeof mintUser>): Promise<string> {
  const file = (name: string, text: string) => {
    const path = join(data, `thief-${name}`)
    writeFileSync(path, text)
    return path
  }
  const tls = {
    cert_file: file('crt', genuine.certificate),
    key_file: file('key', genuine.key),
    ca_file: file('ca', serverAuthority),
  }
  const remote = { url: workloadUrl, credentials: file('creds', credsText(creds)), tls }
  const leafnodes = { reconnect: '100ms', remotes: [remote] }
  await using server = await startTestServer({ server_name: 'thief', leafnodes })
  return await until('an answer to the leafnode', async () => {
    const log = readFileSync(join(server.folder, 'log'), 'utf8')
    if (log.includes('Authorization Violation')) return 'refused'
    const { port } = place?.monitor ?? {}
    const answer = await fetch(`http://127.0.0.1:${port}/leafz`)
    const { leafnodes } = (await answer.json()) as { leafnodes: number }
    return leafnodes > 0 && 'connected'
  })
}

test.serial("a workload's credential makes no leafnode of it", async (t) => {
  await using _ = await startTestServer(configured())
  t.is(await comeAsLeafnode(mintUser(work, 'identity')), 'refused')
  t.is(await comeAsLeafnode(mintUser(work, 'any')), 'connected')
})

/** Dials and says nothing. */
async function isLetGo(withinMs: number): Promise<boolean> {
  const socket = connect(place?.workload.port ?? 0, place?.workload.host)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.once('close', () => resolve(true))
  socket.setTimeout(withinMs, () => resolve(false))
  return promise.finally(() => socket.destroy())
}

test.serial(
  'who says nothing does not stay: connections before the certificate count nowhere',
  async (t) => {
    const { websocket, ...rest } = configured()
    {
      await using _ = await startTestServer({
        ...rest,
        websocket: { ...websocket, handshake_timeout: '500ms' },
      })
      t.true(await isLetGo(3_000))
    }
    const { handshake_timeout: _, ...patient } = websocket
    await using _server = await startTestServer({ ...rest, websocket: patient })
    t.false(await isLetGo(3_000))
  },
)
