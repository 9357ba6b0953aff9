import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { formatCertificates, parseCertificates } from '../../core/identity/certificate.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import { verifySvid } from '../../core/identity/svid.ts'
import { intermediateFiles } from '../../store/authority-files.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import {
  adoptIntermediate,
  publishIntermediate,
  requestIntermediate,
  signIntermediate,
} from '../../store/intermediate.ts'
import { findIssued, pruneIssued } from '../../store/issued.ts'
import { ensureRoot, readRoot, type AuthorityStore } from '../../store/root.ts'
import { recordSvid, signSvid, type SvidWish } from '../../store/svid.ts'
import { good } from '../core/archipelago/example.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const nowMs = Date.parse('2026-06-01T00:00:00Z')
const dayMs = 24 * 3600_000
const archipelago = parseArchipelago(good, 'archipelago.yaml')
const ams3 = { region: 'ams3', kind: 'identity', placement: 'distributed' } as const
const request = requestCertificate(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const wish: SvidWish = { workload: 'exporter', request }

async function makeStore(t: ExecutionContext): Promise<AuthorityStore> {
  const homes = homesOf(join(temporaryFolder(t), 'data'))
  const store = { files: openFiles(), homes, archipelago, nowMs }
  await ensureRoot(store, 'identity')
  const signed = await signIntermediate(store, ams3, {
    request: requestIntermediate(store, ams3),
    root: () => readRoot(store, 'identity'),
  })
  publishIntermediate(store, ams3, signed.certificate)
  adoptIntermediate(store, ams3, formatCertificates([signed.certificate]))
  return store
}

test('a workload gets its region’s name for it, no other, and for as long as a leaf lives', async (t) => {
  const store = await makeStore(t)
  const { chain, leaf } = await signSvid(store, ams3, wish)
  const bundles = readBundles(store.files, store.homes)
  const ders = parseCertificates(chain).map(({ der }) => der)
  const { id } = verifySvid(ders, { bundles, nowMs })
  t.is(String(id), 'spiffe://ams3.archipelago.example/workload/exporter')
  t.deepEqual([leaf.names.dns, leaf.names.ips], [[], []])
  t.is(leaf.notAfterMs, nowMs + archipelago.identity.leafLifetimeSeconds * 1000)
})

test('a shorter life is given, a longer one refused', async (t) => {
  const store = await makeStore(t)
  const { leaf } = await signSvid(store, ams3, { ...wish, lifetimeSeconds: 600 })
  t.is(leaf.notAfterMs, nowMs + 600_000)
  await t.throwsAsync(signSvid(store, ams3, { ...wish, lifetimeSeconds: 3601 }), {
    code: 'ERR_DURATION_ILLEGAL',
    message: 'longer than a leaf lives, 3600 s: 3601 s',
  })
})

test('it does not outlive its authority, and an authority near its end signs nothing', async (t) => {
  const store = await makeStore(t)
  const identity = { leafLifetimeSeconds: 31 * 24 * 3600 }
  const later = { ...store, nowMs: nowMs + 59.5 * dayMs, archipelago: { ...archipelago, identity } }
  const { leaf } = await signSvid(later, ams3, wish)
  t.is(leaf.notAfterMs, nowMs + 90 * dayMs)
  await t.throwsAsync(signSvid({ ...store, nowMs: nowMs + 61 * dayMs }, ams3, wish), {
    code: 'ERR_KEY_NOT_HERE',
  })
})

for (const [workload, code] of [
  ['a/b', 'ERR_SPIFFE_ID_SEGMENT'],
  ['..', 'ERR_SPIFFE_ID_SEGMENT_DOTS'],
  ['', 'ERR_SPIFFE_ID_SEGMENT_EMPTY'],
] as const)
  test(`no workload is called '${workload}'`, async (t) => {
    const store = await makeStore(t)
    const error = await t.throwsAsync(signSvid(store, ams3, { ...wish, workload }))
    t.true(String(Object(error).code).startsWith(code))
  })

test('no workload has a name that the record cannot hold', async (t) => {
  const store = await makeStore(t)
  const signed = await signSvid(store, ams3, { ...wish, workload: 'a'.repeat(256) })
  t.throws(() => recordSvid(store, 'ams3', signed), { code: 'ERR_ISSUED_ILLEGAL' })
  recordSvid(store, 'ams3', await signSvid(store, ams3, wish))
  t.is(pruneIssued(store.homes, 'ams3', nowMs + 200 * dayMs).length, 1)
})

test('a region that is unknown, or whose home is elsewhere, signs nothing', async (t) => {
  const store = await makeStore(t)
  const sign = (region: string) => signSvid(store, { ...ams3, region }, wish)
  await t.throwsAsync(sign('nyc1'), { code: 'ERR_REGION_UNKNOWN' })
  await t.throwsAsync(sign('sfo2'), {
    code: 'ERR_KEY_NOT_HERE',
    message: 'no authority of sfo2 here that is good for long',
  })
})

test('the authority’s own key is nobody else’s', async (t) => {
  const store = await makeStore(t)
  const { key } = intermediateFiles(store.homes, ams3, 'current')
  const own = requestCertificate(createPrivateKey(readFileSync(key)))
  await t.throwsAsync(signSvid(store, ams3, { ...wish, request: own }), {
    code: 'ERR_AUTHORITY_KEY',
  })
})

test('what is recorded leads a digest back to the workload', async (t) => {
  const store = await makeStore(t)
  const signed = await signSvid(store, ams3, wish)
  const { sha256, id } = signed.issued
  const find = () => findIssued(store.homes, ['ams3'], new Set([sha256])).get(sha256)
  t.is(find(), undefined)
  recordSvid(store, 'ams3', signed)
  t.like(find(), { id, holder: 'exporter', region: 'ams3', kind: 'identity' })
})
