// Somebody writes authorities into what git carries, or reverts it to what it was: who trusts them then.
import { createPrivateKey, randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { authorityProfile } from '../../core/identity/authority.ts'
import type { Bundle, BundleMap } from '../../core/identity/bundle.ts'
import { formatBundleMap, requireForward } from '../../core/identity/bundle-map.ts'
import {
  formatCertificates,
  parseCertificate,
  type Certificate,
} from '../../core/identity/certificate.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import { issueAuthority, type Issuer } from '../../core/identity/issue.ts'
import { formatPem } from '../../core/identity/pem.ts'
import { noSubtrees, type NameConstraints } from '../../core/identity/name-constraints.ts'
import { parseTrustDomain } from '../../core/identity/spiffe-id.ts'
import { keepPeerTrust, readPeerTrust } from '../../functions/certificates/peer-trust.ts'
import { readAnchors } from '../../laptop/identity/anchors.ts'
import { ensureAuthorities } from '../../laptop/identity/make-authorities.ts'
import {
  bundleMapFile,
  intermediateFiles,
  intermediatesFile,
  readIntermediates,
  rootsFile,
} from '../../store/authority-files.ts'
import { makeAuthorityKey } from '../../store/authority-keys.ts'
import { publishBundles, readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { publishIntermediate, signIntermediate } from '../../store/intermediate.ts'
import { adoptNext, publishNext, withdrawOthers } from '../../store/roll-intermediate.ts'
import { adoptNextRoot, publishNextRoot } from '../../store/roll-root.ts'
import { readRoot, type AuthorityStore } from '../../store/root.ts'
import { deleteWithdrawnKeys } from '../../store/withdrawn.ts'
import { good } from '../core/archipelago/example.ts'
import { makeRoot } from '../core/identity/example.ts'
import { resign } from '../core/identity/resign.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { until } from '../until.ts'

const ams3 = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
const domain = parseTrustDomain('ams3.archipelago.example')

async function makeStore(t: ExecutionContext): Promise<AuthorityStore> {
  const archipelago = parseArchipelago(good, 'archipelago.yaml')
  const homes = homesOf(join(temporaryFolder(t), 'data'))
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  await ensureAuthorities(store)
  return store
}

const limits = ({ archipelago }: AuthorityStore) =>
  authorityProfile(archipelago, ams3).nameConstraints

async function makeAuthority(
  issuer: Issuer,
  nameConstraints: NameConstraints,
): Promise<Certificate> {
  const { publicKey } = makeAuthorityKey()
  return issueAuthority(
    publicKey,
    { trustDomain: domain, nameConstraints },
    {
      ...{ issuer, commonName: 'planted', nowMs: Date.now(), lifetimeSeconds: 86_400 },
      serial: randomBytes(16),
    },
  )
}

const file = ({ homes }: AuthorityStore) => intermediatesFile(homes.public, 'identity', 'ams3')

/** By how many authorities routes and leafnodes, gateways, and callers of functions are vouched for. */
function trusted(store: AuthorityStore) {
  const count = (pem: string | undefined) => (pem?.match(/BEGIN CERTIFICATE/g) ?? []).length
  const anchors = readAnchors(store.files, store.homes, store.archipelago).get('ams3')
  publishBundles(store)
  return {
    own: count(anchors?.own.content),
    mesh: count(anchors?.mesh.content),
    bundle: readBundles(store.files, store.homes).get(domain)?.authorities.length,
  }
}

const genuine = { own: 1, mesh: 3, bundle: 1 }

function isPlanted(t: ExecutionContext, store: AuthorityStore): void {
  t.is(readIntermediates(store.files, store.homes, ams3).length, 2)
}

test('one that no root of ours signed vouches for nobody', async (t) => {
  const store = await makeStore(t)
  t.deepEqual(trusted(store), genuine)
  const foreign = await makeRoot(Date.now(), 'archipelago.example')
  appendFileSync(file(store), formatCertificates([await makeAuthority(foreign, limits(store))]))
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('nor one of wider limits, though a root of ours signed it', async (t) => {
  const store = await makeStore(t)
  const wide = { ...limits(store), permitted: { ...noSubtrees, uris: [domain] } }
  const root = await readRoot(store, 'identity')
  appendFileSync(file(store), formatCertificates([await makeAuthority(root, wide)]))
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('nor another region’s, in the place of this one’s', async (t) => {
  const store = await makeStore(t)
  const sfo2 = readFileSync(intermediatesFile(store.homes.public, 'identity', 'sfo2'))
  appendFileSync(file(store), sfo2)
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('nor one that was withdrawn, when git is reverted', async (t) => {
  const store = await makeStore(t)
  const root = () => readRoot(store, 'identity')
  await publishNext(store, ams3, root)
  adoptNext(store, ams3)
  t.deepEqual(trusted(store), { own: 2, mesh: 4, bundle: 2 })
  const before = readFileSync(file(store))
  t.is(withdrawOthers(store, ams3), 1)
  writeFileSync(file(store), before)
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('nor one that was withdrawn, under the other signature that it has', async (t) => {
  const store = await makeStore(t)
  const [stolen] = readIntermediates(store.files, store.homes, ams3) as [Certificate]
  await publishNext(store, ams3, () => readRoot(store, 'identity'))
  adoptNext(store, ams3)
  t.is(withdrawOthers(store, ams3), 1)
  appendFileSync(file(store), formatPem('CERTIFICATE', resign(stolen.der)))
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('nor is its key signed for again', async (t) => {
  const store = await makeStore(t)
  const { key } = intermediateFiles(store.homes, ams3, 'current')
  const stolen = createPrivateKey(readFileSync(key))
  await publishNext(store, ams3, () => readRoot(store, 'identity'))
  adoptNext(store, ams3)
  withdrawOthers(store, ams3)
  const request = requestCertificate(stolen)
  const root = () => readRoot(store, 'identity')
  const { certificate } = await signIntermediate(store, ams3, { request, root })
  t.throws(() => publishIntermediate(store, ams3, certificate), { code: 'ERR_AUTHORITY_KEY' })
  t.deepEqual(trusted(store), genuine)
})

test('nor one of a root that was withdrawn, when git is reverted', async (t) => {
  const store = await makeStore(t)
  const stolen = await readRoot(store, 'identity')
  await publishNextRoot(store, 'identity')
  await adoptNextRoot(store, 'identity')
  const path = rootsFile(store.homes.public, 'identity')
  const before = readFileSync(path)
  const planted = formatCertificates([await makeAuthority(stolen, limits(store))])
  await ensureAuthorities({ ...store, isStopped: true })
  t.notDeepEqual(readFileSync(path), before)
  writeFileSync(path, before)
  appendFileSync(file(store), planted)
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('nor those of a region that went and came back', async (t) => {
  const store = await makeStore(t)
  const { archipelago, homes, files } = store
  const before = readFileSync(file(store))
  files.write(join(homes.public, 'regions', 'ams3.json'), '{}')
  const regions = archipelago.regions.filter(({ name }) => name !== 'ams3')
  deleteWithdrawnKeys(homes, { ...archipelago, regions })
  await ensureAuthorities(store)
  appendFileSync(file(store), before)
  isPlanted(t, store)
  t.deepEqual(trusted(store), genuine)
})

test('a bundle map that was put back is made anew, after what functions know', async (t) => {
  const store = await makeStore(t)
  const path = bundleMapFile(store.homes.public)
  const before = readFileSync(path)
  const root = () => readRoot(store, 'identity')
  for (const days of [1, 2]) {
    const later = { ...store, nowMs: store.nowMs + days * 86_400_000 }
    await publishNext(later, ams3, root)
    adoptNext(later, ams3)
    withdrawOthers(later, ams3)
  }
  const known = readBundles(store.files, store.homes)
  writeFileSync(path, before)
  const again = publishBundles({ ...store, nowMs: store.nowMs + 3 * 86_400_000 })
  t.notThrows(() => requireForward(known, again))
  const authorities = (map: BundleMap) => map.get(domain)?.authorities.map(({ serial }) => serial)
  t.deepEqual(authorities(again), authorities(known))
})

test('a function takes no older bundle either where its trust domain was away meanwhile', async (t) => {
  const store = await makeStore(t)
  const paths = {
    bundleMap: bundleMapFile(store.homes.public),
    roots: rootsFile(store.homes.public, 'identity'),
  }
  publishBundles(store)
  const before = readBundles(store.files, store.homes)
  await publishNext({ ...store, nowMs: store.nowMs + 3_600_000 }, ams3, () =>
    readRoot(store, 'identity'),
  )
  const [taken, reported]: [BundleMap[], string[]] = [[], []]
  using _kept = keepPeerTrust(readPeerTrust(paths), paths, {
    take: ({ bundles }) => taken.push(bundles),
    report: (line) => reported.push(line),
    pollMs: 10,
  })
  const without = new Map([...before].filter(([name]) => name !== domain))
  writeFileSync(paths.bundleMap, formatBundleMap(without))
  await until('ams3 is gone', () => taken.at(-1)?.has(domain) === false)
  writeFileSync(paths.bundleMap, formatBundleMap(before))
  await until('it is refused', () => reported.length > 0)
  t.regex(reported[0] ?? '', /sequence \d+ after \d+$/)
  t.false(taken.at(-1)?.has(domain))
})

test('a function takes no authority back that it has seen go, by whatever signature and sequence', async (t) => {
  const store = await makeStore(t)
  const paths = {
    bundleMap: bundleMapFile(store.homes.public),
    roots: rootsFile(store.homes.public, 'identity'),
  }
  const [stolen] = readIntermediates(store.files, store.homes, ams3) as [Certificate]
  const [taken, reported]: [BundleMap[], string[]] = [[], []]
  using _kept = keepPeerTrust(readPeerTrust(paths), paths, {
    take: ({ bundles }) => taken.push(bundles),
    report: (line) => reported.push(line),
    pollMs: 10,
  })
  await publishNext(store, ams3, () => readRoot(store, 'identity'))
  adoptNext(store, ams3)
  withdrawOthers(store, ams3)
  const isTrusted = ({ spki }: Certificate) =>
    taken
      .at(-1)
      ?.get(domain)
      ?.authorities.some((each) => each.spki.equals(spki))
  await until('it is gone', () => taken.length > 0 && isTrusted(stolen) === false)
  const now = readBundles(store.files, store.homes)
  const { authorities, ...bundle } = now.get(domain) as Bundle
  const planted = [...authorities, parseCertificate(resign(stolen.der))]
  const next = { ...bundle, authorities: planted, sequence: (bundle.sequence ?? 0) + 10 }
  writeFileSync(paths.bundleMap, formatBundleMap(new Map([...now, [domain, next]])))
  await until('it is refused', () => reported.length > 0)
  t.regex(reported[0] ?? '', /bundle of ams3.archipelago.example: an authority that had gone$/)
  t.false(isTrusted(stolen))
})

test('no sequence is so high that a withdrawal could not follow it', async (t) => {
  const store = await makeStore(t)
  const paths = {
    bundleMap: bundleMapFile(store.homes.public),
    roots: rootsFile(store.homes.public, 'identity'),
  }
  const bundles = readBundles(store.files, store.homes)
  const bundle = { ...(bundles.get(domain) as Bundle), sequence: Number.MAX_SAFE_INTEGER }
  writeFileSync(paths.bundleMap, formatBundleMap(new Map([...bundles, [domain, bundle]])))
  t.throws(() => readPeerTrust(paths), { code: 'ERR_BUNDLE_AHEAD' })
  await publishNext(store, ams3, () => readRoot(store, 'identity'))
  adoptNext(store, ams3)
  withdrawOthers(store, ams3)
  t.notThrows(() => readPeerTrust(paths))
  t.notThrows(() => requireForward(bundles, readBundles(store.files, store.homes)))
})

test('a function refuses a bundle map with an authority that no root signed, or of wider limits', async (t) => {
  const store = await makeStore(t)
  const { files, homes } = store
  const paths = {
    bundleMap: bundleMapFile(homes.public),
    roots: rootsFile(homes.public, 'identity'),
  }
  const plant = (authority: Certificate) => {
    publishBundles(store)
    const bundles = readBundles(files, homes)
    const bundle = bundles.get(domain) as Bundle
    const planted = { ...bundle, authorities: [...bundle.authorities, authority] }
    writeFileSync(paths.bundleMap, formatBundleMap(new Map([...bundles, [domain, planted]])))
  }
  t.notThrows(() => readPeerTrust(paths))
  const foreign = await makeRoot(Date.now(), 'archipelago.example')
  plant(await makeAuthority(foreign, limits(store)))
  t.throws(() => readPeerTrust(paths), { code: 'ERR_CHAIN_UNTRUSTED' })
  plant(foreign.certificate)
  t.throws(() => readPeerTrust(paths), { code: 'ERR_CHAIN_UNTRUSTED' })
  const root = await readRoot(store, 'identity')
  const wide = { ...limits(store), permitted: { ...noSubtrees, dns: [domain] } }
  plant(await makeAuthority(root, wide))
  t.throws(() => readPeerTrust(paths), { code: 'ERR_AUTHORITY_CONSTRAINTS' })
})
