import { hash, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { formatBundleMap } from '../../../core/identity/bundle-map.ts'
import { parseCertificates } from '../../../core/identity/certificate.ts'
import { verifyChain } from '../../../core/identity/chain.ts'
import { verifySvid } from '../../../core/identity/svid.ts'
import { placeNetwork } from '../../../core/network/endpoint.ts'
import { ensureCertificates } from '../../../laptop/identity/certificates.ts'
import { holdersOf, type CertificateHolder } from '../../../laptop/identity/holders.ts'
import { identityPaths, publicPaths } from '../../../laptop/layout.ts'
import { readRoots, rootKeyFile } from '../../../store/authority-files.ts'
import { readBundles } from '../../../store/bundles.ts'
import { openFiles } from '../../../store/files.ts'
import { homesOf } from '../../../store/homes.ts'
import { findIssued } from '../../../store/issued.ts'
import { ensureRoot } from '../../../store/root.ts'
import { good } from '../../core/archipelago/example.ts'
import { runScript } from '../../run-script.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const startMs = Date.parse('2026-06-01T00:00:00Z')
const dayMs = 86_400_000
const archipelago = parseArchipelago(good, 'archipelago.yaml')
const regions = placeNetwork(archipelago, 'laptop')
const holders = holdersOf(archipelago, regions, ['lobby'])

function makePlace(t: ExecutionContext) {
  const data = temporaryFolder(t)
  const homes = homesOf(data)
  const ensure = (days = 0, wanted: readonly CertificateHolder[] = holders, isStopped = true) =>
    ensureCertificates({ homes, archipelago, nowMs: startMs + days * dayMs, isStopped }, wanted)
  return { data, homes, ensure }
}

const ams3 = { name: 'ams3-0', region: 'ams3' }
const read = (path: string) => parseCertificates(readFileSync(path, 'utf8'))

test('every identity is an SVID of its own region, by the bundles that are published', async (t) => {
  const { data, homes, ensure } = makePlace(t)
  await ensure()
  const bundles = readBundles(openFiles(), homes)
  for (const holder of holders) {
    const chain = read(identityPaths(data, holder).certificate).map(({ der }) => der)
    const svid = verifySvid(chain, { bundles, nowMs: startMs })
    t.is(String(svid.id), String(holder.identity.id))
  }
})

test('the identity of a server has its names and its address, and nothing of the outside', async (t) => {
  const { data, ensure } = makePlace(t)
  await ensure()
  const { names } = read(identityPaths(data, ams3).certificate)[0] ?? t.fail()
  t.like(names, {
    uris: ['spiffe://ams3.archipelago.example/nats/server-0'],
    dns: ['ams3-0.ams3.archipelago.example'],
  })
  t.deepEqual(names.ips, [Buffer.from([127, 0, 0, 1])])
})

test('what outside clients see leads to the public root, has no URI, and no client uses it', async (t) => {
  const { data, homes, ensure } = makePlace(t)
  await ensure()
  const chain = read(publicPaths(data, ams3).certificate)
  const roots = readRoots(openFiles(), homes, 'public')
  t.is(verifyChain(chain, roots, { nowMs: startMs, purposes: ['serverAuth'] }).length, 3)
  const context = { nowMs: startMs, purposes: ['clientAuth'] } as const
  t.throws(() => verifyChain(chain, roots, context), { code: 'ERR_CHAIN_PURPOSE' })
  const [leaf] = chain
  t.deepEqual(leaf?.names.uris, [])
  t.true(leaf?.names.dns.includes('localhost'))
  t.deepEqual(leaf?.extendedKeyUsage, ['1.3.6.1.5.5.7.3.1'])
  const identityRoots = readRoots(openFiles(), homes, 'identity')
  const serving = { nowMs: startMs, purposes: ['serverAuth'] } as const
  t.throws(() => verifyChain(chain, identityRoots, serving), { code: 'ERR_CHAIN_UNTRUSTED' })
})

test('keys are for their owner alone', async (t) => {
  const { data, homes, ensure } = makePlace(t)
  await ensure()
  const keys = [
    identityPaths(data, ams3).key,
    publicPaths(data, ams3).key,
    rootKeyFile(homes, 'identity'),
    join(data, 'ams3/identity/ca/identity/current/ca.key'),
  ]
  for (const key of keys) t.is(statSync(key).mode & 0o777, 0o600)
  t.is(statSync(join(data, 'ams3', 'tls')).mode & 0o777, 0o700)
})

test('a region’s trust file holds its own authority alone, the mesh’s all of them', async (t) => {
  const { ensure } = makePlace(t)
  const { anchors } = await ensure()
  const domains = (path = '') => read(path).flatMap(({ names }) => names.uris)
  const all = archipelago.regions.map(({ name }) => `spiffe://${name}.archipelago.example`)
  t.deepEqual(domains(anchors.get('ams3')?.own.path), all.slice(0, 1))
  t.deepEqual(domains(anchors.get('ams3')?.mesh.path), all)
})

test('every leaf stands in the record of its region', async (t) => {
  const { data, homes, ensure } = makePlace(t)
  await ensure()
  for (const { name, region, identity, ...holder } of holders) {
    const paths = [identityPaths(data, { name, region }), publicPaths(data, { name, region })]
    const shown = paths
      .slice(0, holder.public === undefined ? 1 : 2)
      .map((each) => each.certificate)
    const digests = shown.map((path) => hash('sha256', (read(path)[0] ?? t.fail()).der))
    const [own, outside] = digests.map((digest) =>
      findIssued(homes, [region], new Set([digest])).get(digest),
    )
    t.like(own, { kind: 'identity', id: identity.id, holder: name, region })
    if (holder.public !== undefined) t.like(outside, { kind: 'public', holder: name, region })
  }
})

test('a leaf that cannot be recorded is not written', async (t) => {
  const { data, ensure } = makePlace(t)
  mkdirSync(join(data, 'ams3/identity'), { recursive: true })
  writeFileSync(join(data, 'ams3/identity/issued'), 'in the way')
  await t.throwsAsync(ensure(0, holders.slice(0, 1)), {
    code: 'ERR_STORE_UNWRITABLE',
    message: /identity\/issued/,
  })
  t.false(existsSync(identityPaths(data, ams3).certificate))
})

test('what is good stays as it is', async (t) => {
  const { ensure } = makePlace(t)
  const first = await ensure()
  const second = await ensure(0.01)
  t.is(first.made.length, holders.length)
  t.deepEqual(second.made, [])
  t.deepEqual(second.pins, first.pins)
  t.deepEqual(second.anchors, first.anchors)
})

test('from half of its life on a certificate is made anew, for the same key', async (t) => {
  const { ensure } = makePlace(t)
  const { pins } = await ensure()
  t.deepEqual((await ensure(0.49 / 24)).made, [])
  const again = await ensure(0.51 / 24)
  t.is(again.made.length, holders.length)
  t.deepEqual(again.pins, pins)
})

test('with 30 days left an authority is replaced at a start, with all keys below it', async (t) => {
  const { homes, ensure } = makePlace(t)
  const { pins } = await ensure()
  await ensure(59.9)
  const domain = 'ams3.archipelago.example'
  const bundle = () => [...readBundles(openFiles(), homes)].find(([name]) => name === domain)?.[1]
  const sequence = bundle()?.sequence ?? NaN
  const again = await ensure(60.1)
  t.not(again.pins.get('ams3-0'), pins.get('ams3-0'))
  t.is(bundle()?.authorities.length, 1)
  t.true((bundle()?.sequence ?? 0) > sequence)
})

test('while processes run an authority stays, also with less than 30 days left', async (t) => {
  const { homes, ensure } = makePlace(t)
  const sequences = () =>
    [...readBundles(openFiles(), homes).values()].map(({ sequence }) => sequence)
  const { pins } = await ensure()
  const before = sequences()
  const later = await ensure(60.1, holders, false)
  t.deepEqual(later.pins, pins)
  t.deepEqual(sequences(), before)
})

test('a leaf never outlives its issuer', async (t) => {
  const { data, ensure } = makePlace(t)
  await ensure(59.9)
  const [leaf, issuer] = read(identityPaths(data, ams3).certificate)
  t.true((leaf?.notAfterMs ?? Infinity) <= (issuer?.notAfterMs ?? 0))
})

test('what was made before there were regions’ authorities is replaced and removed', async (t) => {
  const { data, homes, ensure } = makePlace(t)
  const old = [join(homes.operator, 'tls', 'ca.key'), join(homes.public, 'ca.crt')]
  const { certificate, key } = identityPaths(data, ams3)
  for (const path of [...old, certificate, key]) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, 'of before')
  }
  const { made } = await ensure()
  t.true(made.includes('ams3-0'))
  t.deepEqual(old.map(existsSync), [false, false])
  t.notThrows(() => new X509Certificate(readFileSync(certificate)))
})

const other = { name: 'ams3-1', region: 'ams3' }
const damages: readonly [string, (data: string) => void][] = [
  ['cannot be read', (data) => writeFileSync(identityPaths(data, ams3).certificate, 'nothing')],
  ['lost its key', (data) => rmSync(identityPaths(data, ams3).key)],
  ['has no key any more', (data) => writeFileSync(identityPaths(data, ams3).key, 'nothing')],
  [
    'has another one’s key',
    (data) =>
      writeFileSync(identityPaths(data, ams3).key, readFileSync(identityPaths(data, other).key)),
  ],
]

for (const [what, damage] of damages)
  test(`a certificate that ${what} is made anew`, async (t) => {
    const { data, ensure } = makePlace(t)
    await ensure()
    damage(data)
    t.deepEqual((await ensure()).made, ['ams3-0'])
  })

test('a certificate for other names is made anew', async (t) => {
  const { ensure } = makePlace(t)
  await ensure()
  const [first, ...rest] = holders as [CertificateHolder, ...CertificateHolder[]]
  const moved = { ...first, identity: { ...first.identity, ips: ['127.0.0.2'] } }
  t.deepEqual((await ensure(0, [moved, ...rest])).made, ['ams3-0'])
})

test('a region that is gone is in no trust file and no bundle', async (t) => {
  const { homes, ensure } = makePlace(t)
  await ensure()
  const fewer = { ...archipelago, regions: archipelago.regions.slice(1) }
  const left = holders.filter(({ region }) => region !== 'ams3')
  const { anchors } = await ensureCertificates({ homes, archipelago: fewer, nowMs: startMs }, left)
  t.notRegex(formatBundleMap(readBundles(openFiles(), homes)), /ams3/)
  const mesh = read(anchors.get('sfo2')?.mesh.path ?? '').flatMap(({ names }) => names.uris)
  t.deepEqual(
    mesh,
    ['sfo2', 'sgp1'].map((name) => `spiffe://${name}.archipelago.example`),
  )
})

test('an authority whose files are damaged is replaced', async (t) => {
  const { data, ensure } = makePlace(t)
  await ensure()
  writeFileSync(join(data, 'ams3/identity/ca/identity/current/ca.key'), 'nothing')
  const { made } = await ensure()
  t.deepEqual(
    made,
    holders.filter(({ region }) => region === 'ams3').map(({ name }) => name),
  )
})

test('with a root under a passphrase it waits for sign-region, and goes on from there', async (t) => {
  const { data, homes, ensure } = makePlace(t)
  const ensureNow = () => ensure((Date.now() - startMs) / dayMs)
  const passphrase = () => Promise.resolve('correct horse battery')
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  await ensureRoot(store, 'identity', { passphrase })
  await t.throwsAsync(ensureNow(), {
    code: 'ERR_AUTHORITY_UNSIGNED',
    message:
      /^requests wait for a root's signature: ams3 identity, sfo2 identity, sgp1 identity \(needs a passphrase: /,
  })
  const [file, phrase] = [join(data, 'archipelago.yaml'), join(data, 'passphrase')]
  writeFileSync(file, good)
  writeFileSync(phrase, await passphrase())
  for (const { name: region } of archipelago.regions) {
    const where = ['--archipelago', file, '--data-dir', data, '--passphrase-file', phrase]
    const what = ['--laptop', '--region', region, '--kind', 'identity']
    const { code, stderr } = await runScript('sign-region', [...where, ...what])
    t.is(code, 0, stderr)
  }
  t.is((await ensureNow()).made.length, holders.length)
})
