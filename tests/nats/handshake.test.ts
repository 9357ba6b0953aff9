import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { RefusalCode } from '../../core/errors.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { peerChain, type HandshakeMode, type Peer } from '../../nats/handshake.ts'
import { laptopConstraints, makeAuthority, makeLeaf, makeRoot } from '../core/identity/example.ts'
import { claimPorts } from '../port-block.ts'
import { startTestServer, type TestServer } from '../test-server.ts'

// For a hang: a busy machine is given all the time that it takes.
const patienceSeconds = 30
const look = (peer: Omit<Peer, 'host'>) =>
  peerChain({ host: '127.0.0.1', timeoutMs: patienceSeconds * 1000, ...peer })

const nowMs = Date.now()
const root = await makeRoot(nowMs, 'example')
const authority = await makeAuthority(root, 'ams3', nowMs, laptopConstraints('ams3'))
const leaf = await makeLeaf(
  authority,
  { id: 'spiffe://ams3.example/nats/server-0', dns: ['ams3-0.ams3.example'], ips: ['127.0.0.1'] },
  nowMs,
)
const chain = [leaf.certificate, authority.certificate]
const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
const cert = formatCertificates(chain)
const key = leaf.pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const ca = formatCertificates([authority.certificate])

function write(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

const tls = {
  cert_file: write('chain.crt', cert),
  key_file: write('leaf.key', key),
  ca_file: write('trust.crt', ca),
  timeout: patienceSeconds,
}
/** As in a network: whoever dials shows a certificate, and of a key that is known. */
const mutual = { ...tls, verify: true, pinned_certs: ['0'.repeat(64)] }
const ports = await claimPorts()
const at = (offset: number) => ports.firstPort + offset
const listen = (offset: number) => `127.0.0.1:${at(offset)}`
const servers: TestServer[] = []

test.before(async () => {
  servers.push(
    await startTestServer({
      server_name: 'ams3-0',
      // nats-server wants one where there are gateways and leafnodes.
      accounts: { SYS: {} },
      system_account: 'SYS',
      listen: listen(0),
      tls,
      cluster: { name: 'ams3', listen: listen(1), tls: mutual },
      gateway: { name: 'ams3', listen: listen(2), tls: mutual },
      leafnodes: { listen: listen(3), tls: { ...mutual, handshake_first: true } },
    }),
    await startTestServer({
      listen: listen(4),
      tls: { ...mutual, handshake_first: true },
      leafnodes: { listen: listen(5), tls: mutual },
    }),
    await startTestServer({ listen: listen(6) }),
  )
})
test.after.always(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
  await ports[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const shown: readonly [string, number, HandshakeMode, string][] = [
  ['a client listener', 0, 'nats', 'NATS, TLSv1.3'],
  ['a route listener that wants a certificate', 1, 'tls', 'TLSv1.3'],
  ['a gateway listener that wants a certificate', 2, 'tls', 'TLSv1.3'],
  ['a leafnode listener with handshake_first', 3, 'tls', 'TLSv1.3'],
  ['a client listener with handshake_first that wants a certificate', 4, 'tls', 'TLSv1.3'],
  ['a leafnode listener that wants a certificate', 5, 'nats', 'NATS, TLSv1.3'],
]

for (const [what, offset, mode, protocol] of shown)
  test(`${what} shows its chain`, async (t) => {
    for (const tried of [mode, 'auto'] as const) {
      const peer = await look({ port: at(offset), mode: tried })
      t.deepEqual(
        peer.chain,
        chain.map(({ der }) => der),
      )
      t.is(peer.protocol, protocol)
    }
  })

async function serve(t: ExecutionContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`HTTPS that wants a certificate shows its chain, with ${maxVersion}`, async (t) => {
    const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true, maxVersion }
    const port = await serve(t, createHttps(options))
    const peer = await look({ port })
    t.is(peer.chain.length, 2)
    t.is(peer.protocol, maxVersion)
  })

test('a root that is sent along is shown once', async (t) => {
  const all = formatCertificates([...chain, root.certificate])
  const port = await serve(t, createHttps({ cert: all, key }))
  const peer = await look({ port })
  t.deepEqual(peer.chain[2], root.certificate.der)
  t.is(peer.chain.length, 3)
})

test('a leaf alone is shown alone', async (t) => {
  const alone = formatCertificates([leaf.certificate])
  const port = await serve(t, createHttps({ cert: alone, key }))
  t.is((await look({ port })).chain.length, 1)
})

/** INFO in two pieces, and then TLS: what a slow network makes of it. */
test('INFO that comes in pieces is waited for', async (t) => {
  const port = await serve(
    t,
    createServer((client) => {
      client.write('INFO {"tls_required"')
      setTimeout(() => client.write(':true}\r\n'), 600)
      client.once('data', () => client.end())
    }),
  )
  await t.throwsAsync(look({ port }), {
    message: /before secure TLS/,
  })
})

const silent: readonly [string, (client: Socket) => void][] = [
  ['says nothing', () => {}],
  ['begins with INFO and falls silent', (client) => client.write('INFO {')],
]

for (const [what, behave] of silent)
  test(`a peer that ${what} is refused in time`, async (t) => {
    const port = await serve(t, createServer(behave))
    await t.throwsAsync(look({ port, timeoutMs: 900 }), {
      code: 'ERR_CONNECT',
      message: /^cannot connect to 127\.0\.0\.1:\d+: no answer within 900 ms$/,
    })
  })

const refused: readonly [string, (client: Socket) => void, RefusalCode, RegExp][] = [
  ['hangs up', (client) => client.end(), 'ERR_CONNECT', /closed before it said anything$/],
  [
    'speaks another protocol',
    (client) => client.write('220 mail\r\n'),
    'ERR_PEER_PLAIN',
    /^127\.0\.0\.1:\d+ says '220 mail\\u\{d\}\\u\{a\}' without TLS$/,
  ],
  [
    'waits, and then speaks another protocol',
    (client) => client.once('data', () => client.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    'ERR_PEER_PLAIN',
    /^127\.0\.0\.1:\d+ answers without TLS$/,
  ],
  ['says illegal INFO', (client) => client.write('INFO {\r\n'), 'ERR_CONNECT', /illegal INFO$/],
  [
    'says INFO without end',
    (client) => client.write(`INFO ${' '.repeat(70_000)}`),
    'ERR_CONNECT',
    /INFO over 65536 bytes$/,
  ],
]

for (const [what, behave, code, message] of refused)
  test(`a peer that ${what} is refused`, async (t) => {
    const port = await serve(t, createServer(behave))
    await t.throwsAsync(look({ port }), { code, message })
  })

test('a nats-server without TLS is refused by its own code', async (t) => {
  await t.throwsAsync(look({ port: at(6) }), {
    code: 'ERR_PEER_PLAIN',
    message: `127.0.0.1:${at(6)} speaks NATS without TLS`,
  })
})

test('a port on which nobody listens is refused', async (t) => {
  await t.throwsAsync(look({ port: at(7) }), {
    code: 'ERR_CONNECT',
    message: /ECONNREFUSED/,
  })
})
