// Whoever rules a mesh has its authority, and names with it what its verifiers let it name: the URI of this
// region's servers too. Each mesh has a root of its own so that nobody here believes it.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { parseArchipelago } from '../../core/archipelago.ts'
import { authorityProfile, type AnyKind } from '../../core/identity/authority.ts'
import { formatCertificates, type Certificate } from '../../core/identity/certificate.ts'
import { verifyChain } from '../../core/identity/chain.ts'
import {
  issueAuthority,
  issueLeaf,
  type AuthorityProfile,
  type Issuer,
} from '../../core/identity/issue.ts'
import { parseSpiffeId, type SpiffeId } from '../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../core/identity/svid.ts'
import { readAuthorities } from '../../store/authorities.ts'
import { intermediatesFile, writeCertificates } from '../../store/authority-files.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { publishBundles } from '../../store/bundles.ts'
import { openFiles, writePrivate } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { ensureRoot, readRoot } from '../../store/root.ts'
import { good } from '../core/archipelago/example.ts'
import { hearListener } from '../hear-listener.ts'
import { makeServerCertificate } from '../server-certificate.ts'
import { startTestServer } from '../test-server.ts'

const data = mkdtempSync(join(tmpdir(), 'archipelago-mesh-'))

const archipelago = parseArchipelago(good, 'archipelago.yaml')
const nowMs = Date.now()
const store = { files: openFiles(), homes: homesOf(data), archipelago, nowMs }
for (const kind of ['identity', 'istio', 'linkerd'] as const) await ensureRoot(store, kind)

const region = 'ams3'
const server = parseSpiffeId('spiffe://ams3.archipelago.example/nats/server')
const profileOf = (kind: AnyKind) =>
  authorityProfile(archipelago, { region, kind, placement: 'distributed' })
const purposes = ['serverAuth', 'clientAuth'] as const

const issuance = (commonName: string) => ({
  ...{ commonName, nowMs, lifetimeSeconds: 3600, serial: randomBytes(16) },
})

async function makeAuthority(profile: AuthorityProfile, root: AnyKind): Promise<Issuer> {
  const pair = makeAuthorityKey()
  const certificate = await issueAuthority(pair.publicKey, profile, {
    ...issuance(`${region} ${root}`),
    issuer: await readRoot(store, root),
  })
  return { certificate, key: pair.privateKey }
}

async function mint(id: SpiffeId, issuer: Issuer) {
  const pair = makeAuthorityKey()
  const profile = { id, dns: [], ips: [] }
  const made = await issueLeaf(pair.publicKey, profile, { ...issuance('thief'), issuer })
  const chain = [made, issuer.certificate]
  return { chain, cert: formatCertificates(chain), key: formatPrivateKey(pair.privateKey) }
}

const own = await makeAuthority(profileOf('identity'), 'identity')
const istio = await makeAuthority(profileOf('istio'), 'istio')
const path = intermediatesFile(store.homes.public, 'identity', region)

test.after.always(() => rmSync(data, { recursive: true, force: true }))

/** What a listener that trusts these says to each who comes. */
async function hearAll(
  trusted: readonly Certificate[],
  shown: readonly Awaited<ReturnType<typeof mint>>[],
): Promise<boolean[]> {
  const { ca, certificate, key } = await makeServerCertificate('127.0.0.1')
  const write = (name: string, text: string) => {
    writePrivate(join(data, name), text)
    return join(data, name)
  }
  await using running = await startTestServer({
    tls: {
      cert_file: write('server.crt', certificate),
      key_file: write('server.key', key),
      ca_file: write('trusted.pem', formatCertificates(trusted)),
      verify: true,
      handshake_first: true,
    },
  })
  const { hostname: host, port } = new URL(running.url)
  const heard = []
  for (const each of shown)
    heard.push((await hearListener({ host, port: Number(port) }, ca, each)).startsWith('INFO '))
  return heard
}

test.serial('what Istio mints in a server’s name is refused, whatever servers trust', async (t) => {
  const [genuine, forged] = [await mint(server, own), await mint(server, istio)]
  t.deepEqual(await hearAll([own.certificate], [genuine, forged]), [true, false])
  const { certificate: root } = await readRoot(store, 'identity')
  t.deepEqual(await hearAll([root], [genuine, forged]), [true, false])

  writeCertificates(store.files, path, [own.certificate])
  const bundles = publishBundles(store)
  const ders = (chain: readonly Certificate[]) => chain.map(({ der }) => der)
  t.is(verifySvid(ders(genuine.chain), { bundles, nowMs }).id, server)
  t.throws(() => verifySvid(ders(forged.chain), { bundles, nowMs }), {
    code: 'ERR_CHAIN_UNTRUSTED',
  })
})

test.serial(
  'taken out, the root of its own: a server that trusts the root lets it in',
  async (t) => {
    const sibling = await makeAuthority(profileOf('istio'), 'identity')
    const { certificate: root } = await readRoot(store, 'identity')
    const forged = await mint(server, sibling)
    t.deepEqual(await hearAll([root], [forged]), [true])
    // The next wall: servers trust authorities of their regions and not the root.
    t.deepEqual(await hearAll([own.certificate], [forged]), [false])
  },
)

test.serial(
  'planted among a region’s authorities it is none, even with their limits',
  async (t) => {
    const place = { region, kind: 'identity' } as const
    const twin = await makeAuthority(profileOf('identity'), 'istio')
    writeCertificates(store.files, path, [istio.certificate, twin.certificate, own.certificate])
    t.deepEqual(readAuthorities(store, place).length, 1)
    // The root alone tells the twin from a genuine one.
    const genuine = await makeAuthority(profileOf('identity'), 'identity')
    writeCertificates(store.files, path, [genuine.certificate, own.certificate])
    t.deepEqual(readAuthorities(store, place).length, 2)
  },
)

test.serial(
  'no mesh speaks for another: Linkerd, whose URIs nothing limits, not for Istio',
  async (t) => {
    const workload = parseSpiffeId('spiffe://sfo2.archipelago.example/ns/istio-system/sa/istiod')
    const verify = (chain: readonly Certificate[], root: Issuer) =>
      verifyChain(chain, [root.certificate], { nowMs, purposes })
    const istioRoot = await readRoot(store, 'istio')
    const linkerd = await mint(workload, await makeAuthority(profileOf('linkerd'), 'linkerd'))
    t.throws(() => verify(linkerd.chain, istioRoot), { code: 'ERR_CHAIN_UNTRUSTED' })
    // Taken out: below one root for all meshes.
    const sibling = await mint(workload, await makeAuthority(profileOf('linkerd'), 'istio'))
    t.is(verify(sibling.chain, istioRoot).length, 3)
    // Istio of ams3 itself may not.
    const foreign = await mint(workload, istio)
    t.throws(() => verify(foreign.chain, istioRoot), { code: 'ERR_CHAIN_NAME_URI' })
  },
)
