import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { authorityKinds, type AuthorityPlace } from '../../core/identity/authority.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import { formatPem, parseOnePem } from '../../core/identity/pem.ts'
import {
  intermediateFiles,
  intermediatesFile,
  readIntermediates,
  rootKeyFile,
} from '../../store/authority-files.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import {
  adoptIntermediate,
  publishIntermediate,
  readIntermediate,
  requestIntermediate,
  signIntermediate,
} from '../../store/intermediate.ts'
import { ensureRoot, readRoot, type AuthorityStore } from '../../store/root.ts'
import { good } from '../core/archipelago/example.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { snapshot } from './home.ts'

const label = 'CERTIFICATE REQUEST'
const nowMs = Date.parse('2026-06-01T00:00:00Z')
const archipelago = parseArchipelago(good, 'archipelago.yaml')
const ams3: AuthorityPlace = { region: 'ams3', kind: 'identity', placement: 'distributed' }
const sfo2: AuthorityPlace = { ...ams3, region: 'sfo2' }

async function makeStore(t: ExecutionContext): Promise<AuthorityStore> {
  const homes = homesOf(join(temporaryFolder(t), 'data'))
  const store = { files: openFiles(), homes, archipelago, nowMs }
  for (const kind of authorityKinds) await ensureRoot(store, kind)
  return store
}

async function sign(store: AuthorityStore, place: AuthorityPlace, request: string) {
  const signed = await signIntermediate(store, place, {
    request,
    root: () => readRoot(store, place.kind),
  })
  publishIntermediate(store, place, signed.certificate)
  return signed
}

async function make(store: AuthorityStore, place: AuthorityPlace) {
  const { certificate } = await sign(store, place, requestIntermediate(store, place))
  adoptIntermediate(store, place, formatCertificates([certificate]))
  return certificate
}

const foreignRequest = () =>
  requestCertificate(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

test('a region’s authority is limited in all three kinds of name', async (t) => {
  const store = await makeStore(t)
  const { nameConstraints, names, basicConstraints, critical } = await make(store, ams3)
  t.deepEqual(names.uris, ['spiffe://ams3.archipelago.example'])
  t.deepEqual(nameConstraints?.permitted, {
    uris: ['ams3.archipelago.example'],
    dns: ['ams3.archipelago.example', 'nats.svc.cluster.local'],
    ips: [],
  })
  t.deepEqual(nameConstraints?.excluded.ips, ['0.0.0.0/0', '::/0'])
  t.is(basicConstraints?.pathLengthMax, 0)
  t.true(critical.has('2.5.29.30'))
})

test('the public authority has the region’s addresses, and no limit on URIs', async (t) => {
  const { nameConstraints, names, extendedKeyUsage } = await make(await makeStore(t), {
    ...ams3,
    kind: 'public',
  })
  t.deepEqual(names.uris, [])
  t.deepEqual(nameConstraints?.permitted.uris, [])
  const [address] = archipelago.regions[0]?.addresses ?? []
  t.deepEqual(nameConstraints?.permitted.dns, [address, 'ams3.archipelago.example'])
  t.deepEqual(extendedKeyUsage, ['1.3.6.1.5.5.7.3.1'])
})

test('on a laptop loopback addresses only', async (t) => {
  const { nameConstraints } = await make(await makeStore(t), { ...ams3, placement: 'laptop' })
  t.deepEqual(nameConstraints?.permitted.ips, ['127.0.0.0/8', '::1/128'])
})

test('all of it again changes nothing', async (t) => {
  const store = await makeStore(t)
  await make(store, ams3)
  const before = snapshot(store.homes.data)
  for (const kind of authorityKinds) t.false((await ensureRoot(store, kind)).isMade)
  const request = store.files.read(intermediateFiles(store.homes, ams3, 'next').request) ?? ''
  t.false((await sign(store, ams3, request)).isNew)
  t.deepEqual(snapshot(store.homes.data), before)
})

test('a dry run makes nothing', async (t) => {
  const store = await makeStore(t)
  const before = snapshot(store.homes.data)
  const files = openFiles({ isDryRun: true })
  await make({ ...store, files }, ams3)
  t.true(files.changes.length > 3)
  t.deepEqual(snapshot(store.homes.data), before)
})

test('each change of a region’s authorities raises the sequence of its bundle alone', async (t) => {
  const store = await makeStore(t)
  const sequences = () => [...readBundles(store.files, store.homes)].map((one) => one[1].sequence)
  await make(store, ams3)
  await make(store, sfo2)
  const first = nowMs / 1000
  t.deepEqual(sequences(), [first, first])
  await make({ ...store, nowMs: nowMs + 61 * 86_400_000 }, sfo2)
  t.deepEqual(sequences(), [first, first + 61 * 86_400])
})

const refusals: readonly [
  what: string,
  code: string,
  message: RegExp,
  attempt: (store: AuthorityStore) => Promise<unknown>,
][] = [
  [
    'a region that nobody knows',
    'ERR_REGION_UNKNOWN',
    /^unknown region: 'fra1' \(ams3, /,
    (store) => sign(store, { ...ams3, region: 'fra1' }, foreignRequest()),
  ],
  [
    'a key that another region has',
    'ERR_AUTHORITY_KEY',
    /^key of the request is already that of ams3, identity$/,
    async (store) => {
      const request = requestIntermediate(store, ams3)
      await sign(store, ams3, request)
      await sign(store, sfo2, request)
    },
  ],
  [
    'a key of the same region for the other purpose',
    'ERR_AUTHORITY_KEY',
    /^key of the request is already that of ams3, identity$/,
    async (store) => {
      const request = requestIntermediate(store, ams3)
      await sign(store, ams3, request)
      await sign(store, { ...ams3, kind: 'public' }, request)
    },
  ],
  [
    'the key of a root',
    'ERR_AUTHORITY_KEY',
    /^key of the request is already that of the identity root$/,
    async (store) => {
      const { key } = await readRoot(store, 'identity')
      await sign(store, ams3, requestCertificate(key))
    },
  ],
  [
    'a request that somebody changed',
    'ERR_CSR_SIGNATURE',
    /not signed by the key that it names$/,
    (store) => sign(store, ams3, withOtherKey(foreignRequest())),
  ],
  [
    'a request without the root’s key',
    'ERR_KEY_NOT_HERE',
    /^no key of the identity root at /,
    (store) =>
      signIntermediate(store, ams3, {
        request: foreignRequest(),
        root: () => readRoot(store, 'identity', { file: join(store.homes.data, 'nowhere') }),
      }),
  ],
  [
    'the other root’s key',
    'ERR_KEY_OTHER',
    /^not the key of the identity root: /,
    (store) =>
      signIntermediate(store, ams3, {
        request: foreignRequest(),
        root: () => readRoot(store, 'identity', { file: rootKeyFile(store.homes, 'public') }),
      }),
  ],
]

for (const [what, code, message, attempt] of refusals)
  test(`refused is ${what}`, async (t) => {
    const store = await makeStore(t)
    await t.throwsAsync(attempt(store), { code, message })
  })

test('a region adopts only what was signed for its key, by a root, with its limits', async (t) => {
  const store = await makeStore(t)
  requestIntermediate(store, ams3)
  const adopt = (pem: string) => () => adoptIntermediate(store, ams3, pem)
  const { certificate: other } = await sign(store, ams3, foreignRequest())
  t.throws(adopt(formatCertificates([other])), { code: 'ERR_AUTHORITY_KEY' })
  const foreign = await makeStore(t)
  const unknown = await make(foreign, ams3)
  t.throws(adopt(formatCertificates([unknown])), { code: 'ERR_CHAIN_UNTRUSTED' })
  const neighbour = await make(store, sfo2)
  t.throws(adopt(formatCertificates([neighbour])), { code: 'ERR_AUTHORITY_OTHER' })
  t.throws(adopt(formatCertificates([neighbour, other])), { code: 'ERR_PEM_ILLEGAL' })
})

test('an authority with other limits than its region’s is not used', async (t) => {
  const store = await makeStore(t)
  const wide = { ...ams3, placement: 'laptop' } as const
  const certificate = await make(store, wide)
  t.not(readIntermediate(store, wide), undefined)
  t.is(readIntermediate(store, ams3), undefined)
  t.throws(() => adoptIntermediate(store, ams3, formatCertificates([certificate])), {
    code: 'ERR_AUTHORITY_CONSTRAINTS',
    message: 'authority has other limits than its region',
  })
})

test('what git carries has no key', async (t) => {
  const store = await makeStore(t)
  await make(store, ams3)
  const text = store.files.read(intermediatesFile(store.homes.public, 'identity', 'ams3')) ?? ''
  t.regex(text, /BEGIN CERTIFICATE/)
  t.notRegex(text, /PRIVATE/)
  t.is(readIntermediates(store.files, store.homes, ams3).length, 1)
})

/** Another key under the same signature. */
function withOtherKey(request: string): string {
  const [mine, other] = [request, foreignRequest()].map((pem) => parseOnePem(label, pem))
  if (mine === undefined || other === undefined) throw new TypeError('no request')
  const point = mine.indexOf(Buffer.from('03420004', 'hex'))
  other.copy(mine, point, point, point + 4 + 64)
  return formatPem(label, mine)
}
