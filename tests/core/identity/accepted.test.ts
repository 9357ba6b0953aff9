// What others say of a thousand certificates: OpenSSL at its strictest, and a nats-server that listens.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { formatCertificates, type Certificate } from '../../../core/identity/certificate.ts'
import { noSubtrees, type NameConstraints } from '../../../core/identity/name-constraints.ts'
import { parseTrustDomain } from '../../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../../core/identity/svid.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { startTestServer, type TestServer } from '../../test-server.ts'
import { until } from '../../until.ts'
import {
  laptopConstraints,
  makeAuthority,
  makeLeaf,
  makeRoot,
  type Held,
  type HeldLeaf,
} from './example.ts'
import { clusterConstraints } from './forge.ts'

const run = promisify(execFile)
const nowMs = Date.now()
const leavesEach = 250
// For a hang: a busy machine is given all the time that it takes.
const patienceSeconds = 180

interface Region {
  readonly name: string
  readonly authority: Held
  readonly leaves: readonly HeldLeaf[]
}

const root = await makeRoot(nowMs, 'example')
const regions: Region[] = []
for (const name of ['ams3', 'sfo2', 'sgp1']) regions.push(await makeRegion(name))
regions.push(await makeRegion('laptop', laptopConstraints('laptop')))

async function makeRegion(name: string, constraints?: NameConstraints): Promise<Region> {
  const authority = await makeAuthority(root, name, nowMs, constraints)
  const of = (index: number) => ({
    id: `spiffe://${name}.example/${index % 3 === 0 ? 'workload' : `nats/x.${index}/y`}/${index}`,
    dns: index % 3 === 0 ? [] : [`${name}-${index}.${name}.example`].concat(inside(index)),
    ips: constraints === undefined ? [] : ['127.0.0.1', '::1'],
  })
  const inside = (index: number) =>
    constraints === undefined ? [`server-${index}.nats.svc.cluster.local`] : []
  const indexes = Array.from({ length: leavesEach }, (_, index) => index)
  const leaves = await Promise.all(indexes.map((index) => makeLeaf(authority, of(index), nowMs)))
  return { name, authority, leaves }
}

function write(folder: string, name: string, ...certificates: readonly Certificate[]): string {
  const file = join(folder, name)
  writeFileSync(file, formatCertificates(certificates))
  return file
}

for (const { name, authority, leaves } of regions)
  test(`openssl verify -x509_strict takes ${leavesEach} leaves of ${name}`, async (t) => {
    const folder = temporaryFolder(t)
    const files = leaves.map(({ certificate }, index) => write(folder, `${index}.pem`, certificate))
    const above = write(folder, 'authority.pem', authority.certificate)
    const ways = [
      ['-CAfile', write(folder, 'root.pem', root.certificate), '-untrusted', above],
      ['-partial_chain', '-trusted', above],
    ]
    for (const way of ways)
      for (const purpose of ['sslserver', 'sslclient']) {
        const fixed = ['verify', '-x509_strict', '-check_ss_sig', '-purpose', purpose, ...way]
        const { stdout } = await run('openssl', [...fixed, ...files], { maxBuffer: 1e7 })
        t.is(stdout.match(/: OK$/gm)?.length, leavesEach)
      }
  })

test('ours takes all of them', (t) => {
  for (const { name, authority, leaves } of regions) {
    const bundle = {
      authorities: [authority.certificate],
      refreshHintSeconds: 1,
      jwtKeys: new Map(),
    }
    const bundles = new Map([[parseTrustDomain(`${name}.example`), bundle]])
    for (const { certificate } of leaves)
      t.notThrows(() => verifySvid([certificate.der], { bundles, nowMs }))
  }
})

async function listen(t: ExecutionContext, anchors: readonly Certificate[]): Promise<TestServer> {
  const folder = temporaryFolder(t)
  const [{ authority }] = regions.slice(-1) as [Region]
  const own = await makeLeaf(
    authority,
    { id: 'spiffe://laptop.example/nats/server-0', ips: ['127.0.0.1'] },
    nowMs,
  )
  const key = join(folder, 'key.pem')
  writeFileSync(key, exportKey(own))
  return startTestServer({
    tls: {
      cert_file: write(folder, 'chain.pem', own.certificate, authority.certificate),
      key_file: key,
      ca_file: write(folder, 'anchors.pem', ...anchors),
      verify: true,
      handshake_first: true,
      timeout: patienceSeconds,
    },
  })
}

const exportKey = ({ pair }: HeldLeaf) =>
  pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()

/**
 * INFO for whom the server admits, else how the connection ended: with TLS 1.3 a client hears that it
 * was refused only after its own handshake.
 */
function answerTo(server: TestServer, leaf: HeldLeaf, above: Certificate): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { hostname, port } = new URL(server.url)
  const socket = connect({
    host: hostname,
    port: Number(port),
    cert: formatCertificates([leaf.certificate, above]),
    key: exportKey(leaf),
    ca: formatCertificates(regions.map(({ authority }) => authority.certificate)),
    allowPartialTrustChain: true,
  })
  socket.once('data', (bytes) => resolve(bytes.toString().split(' ', 1)[0] as string))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  socket.once('close', () => resolve('closed'))
  return promise.finally(() => socket.destroy())
}

/** Not for a time that ran out, nor for a server that is gone. */
async function requireRefused(
  t: ExecutionContext,
  server: TestServer,
  { leaf, above, reason }: { leaf: HeldLeaf; above: Certificate; reason: string },
): Promise<void> {
  t.not(await answerTo(server, leaf, above), 'INFO')
  const refusal = `failed to verify certificate: x509: ${reason}`
  await until(`the server says: ${refusal}`, () =>
    readFileSync(join(server.folder, 'log'), 'utf8').includes(refusal),
  )
}

test('a nats-server that trusts the intermediates admits all of them', async (t) => {
  const authorities = regions.map(({ authority }) => authority.certificate)
  await using server = await listen(t, authorities)
  const answers = regions.map(async ({ authority, leaves }) => {
    const heard: string[] = []
    for (const leaf of leaves) heard.push(await answerTo(server, leaf, authority.certificate))
    return heard
  })
  const admitted = Array<string>(leavesEach).fill('INFO')
  t.deepEqual(await Promise.all(answers), Array(regions.length).fill(admitted))
})

test('a nats-server that trusts one region’s intermediate admits no other region', async (t) => {
  const [ams3, sfo2] = regions as [Region, Region]
  await using server = await listen(t, [sfo2.authority.certificate])
  t.is(await answerTo(server, sfo2.leaves[0] as HeldLeaf, sfo2.authority.certificate), 'INFO')
  const [leaf, above] = [ams3.leaves[0] as HeldLeaf, ams3.authority.certificate]
  const reason = 'certificate signed by unknown authority'
  await requireRefused(t, server, { leaf, above, reason })
})

const stolen: readonly [string, keyof typeof noSubtrees, Parameters<typeof makeLeaf>[1]][] = [
  ['URI', 'uris', { id: 'spiffe://sfo2.example/nats/server-0' }],
  ['DNS', 'dns', { id: 'spiffe://ams3.example/x', dns: ['sfo2-0.sfo2.example'] }],
  ['IP', 'ips', { id: 'spiffe://ams3.example/x', ips: ['203.0.113.7'] }],
]

for (const [kind, key, names] of stolen)
  test(`a nats-server refuses the ${kind} name that ams3 may not give, unless that constraint is taken out`, async (t) => {
    const { permitted, excluded } = clusterConstraints('ams3')
    const without = { permitted: { ...permitted, [key]: [] }, excluded: { ...excluded, [key]: [] } }
    const held = await makeAuthority(root, 'ams3', nowMs)
    const free = await makeAuthority(root, 'ams3', nowMs, without)
    const [below, unheld] = await Promise.all([
      makeLeaf(held, names, nowMs),
      makeLeaf(free, names, nowMs),
    ])
    const reason = `a root or intermediate certificate is not authorized to sign for this name: ${kind}`
    // By the common root, and by the intermediate as an anchor: constraints hold in both places.
    for (const anchors of [[root.certificate], [held.certificate, free.certificate]]) {
      await using server = await listen(t, anchors)
      await requireRefused(t, server, { leaf: below, above: held.certificate, reason })
      t.is(await answerTo(server, unheld, free.certificate), 'INFO')
    }
  })
