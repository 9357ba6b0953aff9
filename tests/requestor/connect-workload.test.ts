// The whole way of a workload: key, request, certificate, exchange, credential, connection, message.
import { createHash, generateKeyPairSync, hash } from 'node:crypto'
import test from 'ava'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { requestCertificate } from '../../core/identity/csr.ts'
import { isFunctionOf } from '../../core/identity/names.ts'
import { formatHostPort } from '../../core/network/endpoint.ts'
import { proveWorkloads } from '../../laptop/proofs/workloads.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { mutualTls } from '../../nats/mutual-tls.ts'
import { workloadTarget } from '../../nats/workload-target.ts'
import { connectWorkload } from '../../requestor/connect-workload.ts'
import { exchangeSvid } from '../../requestor/exchange-svid.ts'
import { postExchange } from '../../requestor/exchange-token.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { recordSvid, signSvid } from '../../store/svid.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

const role = `roles:
  exporter:
    account: KUBECON
    doors: [identity]
    identity:
      - { spiffeId: spiffe://ams3.archipelago.example/workload/exporter }
      - { spiffeId: spiffe://sfo2.archipelago.example/workload/exporter }
    lifetime: 15m
    publish: [metrics.>]
    subscribe: [metrics.>]
    subscriptionsMax: 8
    payloadBytesMax: 65536
`

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork((yaml) => yaml.replace('roles:\n', () => role))
})
test.after.always(() => network?.[Symbol.asyncDispose]())

/** As request-svid and issue-svid do it. */
async function makeWorkload(region: string, workload = 'exporter', lifetimeSeconds = 600) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { archipelago, homes } = network
  const store = { files: openFiles(), homes, archipelago, nowMs: Date.now() }
  const place = { region, kind: 'identity', placement: 'laptop' } as const
  const request = requestCertificate(privateKey)
  const signed = await signSvid(store, place, { workload, request, lifetimeSeconds })
  recordSvid(store, region, signed)
  return {
    certificate: signed.chain,
    key: formatPrivateKey(privateKey),
    bundles: readBundles(store.files, homes),
    notAfterMs: signed.leaf.notAfterMs,
  }
}
type Made = Awaited<ReturnType<typeof makeWorkload>>

const wish = (region: string, workload: Made) => ({
  ...{ network: network.network, role: 'exporter', region, workload, name: 'exporter' },
  pair: makeNkeyPair('user'),
})

test('from a certificate to a message that is heard in another region', async (t) => {
  const sender = await connectWorkload(wish('ams3', await makeWorkload('ams3')))
  const hearer = await connectWorkload(wish('sfo2', await makeWorkload('sfo2')))
  const { name } = sender.credential.creds.user.claims
  t.is(name, 'spiffe://ams3.archipelago.example/workload/exporter')
  t.deepEqual([sender.connection.info?.cluster, sender.credential.region], ['ams3', 'ams3'])
  const heard: string[] = []
  hearer.subscribe('metrics.cpu', { callback: (_, msg) => void heard.push(msg.string()) })
  await hearer.flush()
  await until('it is heard', async () => {
    sender.publish('metrics.cpu', '42')
    await sender.flush()
    return heard.length > 0
  })
  t.is(heard[0], '42')
  await Promise.all([sender.close(), hearer.close()])
})

/** By which certificate the server says that this workload is connected. */
async function shownBy(nkey: string): Promise<string | undefined> {
  const servers = network.supercluster.regions.flatMap((region) => region.servers)
  for (const { monitor } of servers) {
    const at = formatHostPort(monitor.host, monitor.port)
    const answer = await fetch(`http://${at}/connz?auth=1`)
    const { connections } = (await answer.json()) as { connections: Connection[] }
    const found = connections.find(({ nkey: seen, authorized_user: user }) =>
      [seen, user].includes(nkey),
    )
    if (found !== undefined) return found.tls_peer_certs?.[0]?.cert_sha256
  }
}
interface Connection {
  readonly nkey?: string
  readonly authorized_user?: string
  readonly tls_peer_certs?: readonly { readonly cert_sha256: string }[]
}

const digestOf = ({ certificate }: Made) => {
  const [leaf] = parseCertificates(certificate)
  return createHash('sha256')
    .update(leaf?.der ?? '')
    .digest('hex')
}

test('a credential ends with its certificate, and the next certificate is shown by the next connection', async (t) => {
  const workload = await makeWorkload('ams3', 'exporter', 120)
  const wanted = wish('ams3', workload)
  const connection = await connectWorkload(wanted)
  const nkey = wanted.pair.publicKey
  const endOf = () => connection.credential.creds.user.claims.exp ?? Infinity
  t.true(endOf() * 1000 <= workload.notAfterMs)
  const first = digestOf(workload)
  t.is(await shownBy(nkey), first)
  const before = endOf()
  const next = await makeWorkload('ams3', 'exporter', 600)
  Object.assign(workload, next)
  await connection.renewNow()
  t.true(endOf() > before)
  await until('only the next one is shown', async () => (await shownBy(nkey)) === digestOf(next))
  await connection.close()
})

test('another workload of the region does not get the role', async (t) => {
  const thief = await makeWorkload('ams3', 'thief')
  await t.throwsAsync(exchangeSvid(wish('ams3', thief)), {
    code: 'ERR_TOKEN_SUBJECT',
    message: /no role is given to 'spiffe:\/\/ams3\.archipelago\.example\/workload\/thief'/,
  })
})

test('whoever knows the digest of a certificate gets nothing for it by his own', async (t) => {
  const [victim, thief] = [await makeWorkload('ams3'), await makeWorkload('ams3', 'thief')]
  const [leaf] = parseCertificates(victim.certificate)
  const token = hash('sha256', leaf?.der ?? '', 'base64url')
  const url = network.network.file.regions[0]?.workloads?.exchange ?? ''
  const peer = { what: 'a function', isPeer: isFunctionOf({ region: 'ams3', door: 'identity' }) }
  const ask = (by: Made) =>
    postExchange(
      { ...wish('ams3', by), token, isCertificate: true },
      { url, tls: mutualTls(by, peer) },
    )
  await t.throwsAsync(ask(thief), { code: 'ERR_TOKEN_CERTIFICATE' })
  t.is((await ask(victim)).region, 'ams3')
})

test('another region’s function is not taken for the one that is asked, wherever its name leads', async (t) => {
  const { file } = network.network
  const url = file.regions.find(({ name }) => name === 'ams3')?.workloads?.exchange ?? ''
  const lure = (region: (typeof file.regions)[number]) => ({
    ...region,
    ...(region.workloads && { workloads: { ...region.workloads, exchange: url } }),
  })
  const lured = { ...network.network, file: { ...file, regions: file.regions.map(lure) } }
  const workload = await makeWorkload('sfo2')
  await t.throwsAsync(exchangeSvid({ ...wish('sfo2', workload), network: lured }), {
    message: /peer is spiffe:\/\/ams3.*, not the function of sfo2 for the door identity/,
  })
  t.is((await exchangeSvid({ ...wish('ams3', workload), network: lured })).region, 'ams3')
})

test('a region whose functions exchange nothing is named', async (t) => {
  const { file } = network.network
  const regions = file.regions.map(({ name, servers, https }) => ({ name, servers, https }))
  const without = { ...network.network, file: { ...file, regions } }
  const wanted = { ...wish('ams3', await makeWorkload('ams3')), network: without }
  await t.throwsAsync(exchangeSvid(wanted), {
    code: 'ERR_TARGET_UNKNOWN',
    message: 'region ams3 exchanges no certificates',
  })
})

test('npm start proves it for every workload that a role names', async (t) => {
  const member = await network.connect(await network.request({ region: 'sfo2' }), 'sfo2')
  const proofs = await proveWorkloads(network, {
    network: network.network,
    role: 'member',
    members: new Map([['sfo2', member]]),
  })
  t.deepEqual(
    proofs.map(({ what, isProven }) => [what, isProven]),
    [
      ['nobody comes where workloads do without a certificate', true],
      ['a member does not, beside the certificate of a workload', true],
      ['ams3: the workload exporter comes in by its certificate', true],
      ['sfo2: the workload exporter comes in by its certificate', true],
      ...['ams3', 'sfo2', 'sgp1'].map((region) => [
        `${region}: the workload announcer comes in by its certificate`,
        true,
      ]),
    ],
  )
  await member.close()
  const heard = /^announcer for \d+ s; heard in sfo2 after [\d.]+ ms$/
  t.regex(
    proofs.find(({ what }) => what.startsWith('ams3: the workload announcer'))?.observed ?? '',
    heard,
  )
  t.regex(proofs[0]?.observed ?? '', /^tlsv13 alert certificate required$|ECONNRESET|hang up/)
  t.regex(proofs[1]?.observed ?? '', /Authorization Violation/)
})

/** At a server of ams3, with a credential that may be another's; once. */
function come(by: Made, { creds }: Credential): Promise<NatsConnection> {
  const servers = network.network.file.regions[0]?.workloads?.servers ?? []
  const target = workloadTarget(by, { servers, name: 'test', options: { reconnect: false } })
  return connectWithCreds(target, () => creds)
}

// One after the other: of two watchers only one is the one that cuts.
test.serial(
  "a stolen credential beside the thief's own certificate is cut by the watcher, and by nobody else",
  async (t) => {
    const [victim, thief] = [await makeWorkload('ams3'), await makeWorkload('sfo2', 'thief')]
    const credential = await exchangeSvid(wish('ams3', victim))
    const [genuine, borrowed] = [await come(victim, credential), await come(thief, credential)]
    await borrowed.flush()
    t.false(borrowed.isClosed())
    const found: string[] = []
    await using _ = network.watch(({ message }) => void found.push(message))
    await until('the thief is cut', () => borrowed.isClosed())
    const told = /credential is for '\S+exporter', its certificate for '\S+thief'/
    await until('it is told', () => found.some((line) => told.test(line)))
    t.false(genuine.isClosed())
    await genuine.close()
  },
)

test.serial(
  'a credential that lasts longer than the certificate beside it ends with that',
  async (t) => {
    const [lasting, brief] = [await makeWorkload('ams3'), await makeWorkload('ams3', 'exporter', 4)]
    const credential = await exchangeSvid(wish('ams3', lasting))
    const [stays, ends] = [await come(lasting, credential), await come(brief, credential)]
    const found: string[] = []
    await using _ = network.watch(({ message }) => void found.push(message))
    await until('it ends', () => ends.isClosed())
    t.true(Date.now() >= brief.notAfterMs)
    await until('it is told', () => found.some((line) => /: its certificate ended \d/.test(line)))
    t.false(stays.isClosed())
    await stays.close()
  },
)
