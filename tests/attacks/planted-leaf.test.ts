// Leaves that are no SVIDs, signed with the genuine key of a region's authority: nats-server admits them,
// on either end of a connection. Issuance refuses to make them (tests/core/identity/recorded.test.ts).
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { formatCertificates } from '../../core/identity/certificate.ts'
import type { Issuer } from '../../core/identity/issue.ts'
import { leafnodeId } from '../../core/identity/names.ts'
import { formatUrl, type RegionPlace } from '../../core/network/endpoint.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { identityPaths } from '../../laptop/layout.ts'
import { connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import { intermediatesFile } from '../../store/authority-files.ts'
import { openFiles, writePrivate } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { readIntermediate } from '../../store/intermediate.ts'
import { requireKey } from '../../store/key-file.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { forgeLeaf, makePair, names, type Pair } from '../core/identity/forge.ts'
import { runScript } from '../run-script.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
let ams3: RegionPlace
let authority: Issuer
let client: NatsConnection

const domain = 'spiffe://ams3.archipelago.example'
const id = (name: string) => `${domain}/nats/${name}`
const plants = [
  { name: 'ams3-0', uris: [id('server-0'), id('server-1')], rule: '2 URI names', code: 'MANY' },
  { name: 'ams3-1', uris: [], rule: 'no URI name', code: 'NONE' },
] as const

test.before(async () => {
  network = await startTestNetwork()
  const { archipelago, homes, supercluster } = network
  ams3 = supercluster.regions[0] as RegionPlace
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  const place = { region: 'ams3', kind: 'identity', placement: 'laptop' } as const
  authority = readIntermediate(store, place) as Issuer
  for (const { name, uris } of plants) plantServer(name, uris)
  await Promise.all(plants.map(({ name }) => supercluster.restart(name)))
  await supercluster.awaitMesh(30_000)
  client = await connectPlanted()
})
test.after.always(async () => {
  await client?.close()
  await network?.[Symbol.asyncDispose]()
})

/** PEM of a leaf with these URIs, its authority after it. */
function mint(pair: Pair, uris: readonly string[], name: string): string {
  const { certificate, key: privateKey } = authority
  const issuer = {
    ...{ der: certificate.der, subject: certificate.subject },
    pair: { privateKey, publicKey: certificate.openssl.publicKey },
  }
  const leaf = forgeLeaf(issuer, {
    pair,
    notBeforeMs: Date.now() - 60_000,
    notAfterMs: Date.now() + 3_600_000,
    extensions: {
      names: names({
        uris: [...uris],
        dns: [`${name}.ams3.archipelago.example`],
        ips: ['127.0.0.1'],
      }),
    },
  })
  return formatCertificates([leaf, certificate])
}

/** For the key that its peers have pinned. */
function plantServer(name: string, uris: readonly string[]): void {
  const { certificate, key } = identityPaths(network.homes.data, { name, region: 'ams3' })
  const privateKey = createPrivateKey(readFileSync(key))
  const pair = { privateKey, publicKey: createPublicKey(privateKey) }
  writePrivate(certificate, mint(pair, uris, name))
}

/** By the key of the region's function, and a leaf that nobody issued. */
function connectPlanted(): Promise<NatsConnection> {
  const { homes, archipelago } = network
  const pair = makePair()
  const key = functionKeyFile(functionHome(homes, 'ams3', 'lobby'))
  const target = {
    servers: [formatUrl(ams3.leafnode.client)],
    ca: readFileSync(intermediatesFile(homes.public, 'identity', 'ams3'), 'utf8'),
    name: 'planted',
    identity: {
      certificate: mint(pair, [`${domain}/function/lobby`, id('server-0')], 'planted'),
      key: formatPrivateKey(pair.privateKey),
      peer: leafnodeId(archipelago, ams3.leafnode),
    },
  }
  return connectWithNkey(target, requireKey(openFiles(), 'user', key))
}

const run = (script: string, ...options: string[]) =>
  runScript(script, [
    ...[...options, '--archipelago', network.archipelagoFile],
    ...['--data-dir', join(network.folder, 'data')],
  ])

test('nats-server admits them all: the mesh is whole, and the client is in', async (t) => {
  await t.notThrowsAsync(network.supercluster.awaitMesh(30_000))
  await t.notThrowsAsync(client.flush())
})

test('verify-peer finds each at the listener that shows it', async (t) => {
  for (const { name, rule, code } of plants) {
    const { route } = ams3.servers.find((server) => server.name === name) ?? t.fail()
    const found = await run('verify-peer', `${route.host}:${route.port}`)
    t.is(found.code, 4)
    t.regex(found.stdout, new RegExp(`✘ ERR_SVID_URI_${code} +serial [0-9a-f]+: ${rule}$`, 'm'))
  }
})

test('verify-peer --all finds them at every listener, and the client by its digest', async (t) => {
  const { code, stdout } = await run('verify-peer', '--all', '--json')
  const { observed, connected } = JSON.parse(stdout)
  t.is(code, 4)
  for (const { name, code } of plants) {
    const wrong = observed.filter(
      (peer: { name: string; findings: { code: string }[] }) =>
        peer.name === name && peer.findings.some((each) => each.code === `ERR_SVID_URI_${code}`),
    )
    t.deepEqual(
      wrong.map(({ listener }: { listener: string }) => listener),
      ['route', 'gateway', 'leafnode', 'workload'],
    )
  }
  const unknown = connected.findings.filter(
    (each: { server: string }) => each.server === 'ams3-leafnode',
  )
  t.true(
    unknown.some(({ message }: { message: string }) => /\('planted'\): no record of/.test(message)),
  )
  t.like(unknown[0], { misfit: 'unknown', code: 'ERR_CERTIFICATE_UNKNOWN' })
})

test('verify-supercluster, which checks a network, finds them as well', async (t) => {
  const { code, stdout } = await run('verify-supercluster')
  t.is(code, 1)
  t.regex(stdout, /^identities: \d+ misfits$/m)
  for (const { name, rule } of plants)
    t.regex(
      stdout,
      new RegExp(`^✘ certificate-wrong +${name}: its route listener: .*: ${rule} `, 'm'),
    )
  t.regex(stdout, /^✘ connection-wrong +client ams3-leafnode#\d+ \('planted'\): no record of /m)
})
