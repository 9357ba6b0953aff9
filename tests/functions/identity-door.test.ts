// The door identity in a running network: workloads come by their certificates.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { formatBundleMap } from '../../core/identity/bundle-map.ts'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { parseTrustDomain } from '../../core/identity/spiffe-id.ts'
import { auditFile } from '../../laptop/functions.ts'
import { peerChain } from '../../nats/handshake.ts'
import type { Workload } from '../../nats/mutual-tls.ts'
import { exchangeSvid } from '../../requestor/exchange-svid.ts'
import { bundleMapFile } from '../../store/authority-files.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { authorityOf, mintSvid } from '../workloads.ts'
import { placeOf, reissue } from './reissue.ts'

const at = { region: 'ams3', door: 'identity' } as const
const billing = (region: string) => `spiffe://${region}.archipelago.example/workload/billing`
const role = `
roles:
  billing:
    account: KUBECON
    doors: [identity]
    identity:
      - { spiffeId: ${billing('ams3')} }
      - { spiffeId: ${billing('sfo2')} }
    lifetime: 15m
    publish: [chat.KUBECON.online]
    subscribe: [chat.KUBECON.online]
    subscriptionsMax: 8
    payloadBytesMax: 4096
`

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork((yaml) => yaml.replace('\nroles:\n', () => role))
})
test.after.always(() => network?.[Symbol.asyncDispose]())

async function workloadOf(region: string, id = billing(region)): Promise<Workload> {
  const { archipelago, homes } = network
  const svid = await mintSvid(id, authorityOf({ data: homes.data, archipelago }, region))
  return { ...svid, bundles: readBundles(openFiles(), homes) }
}

const exchange = (workload: Workload, options: object = {}) =>
  exchangeSvid({
    ...{ network: network.network, role: 'billing', region: at.region, workload },
    ...{ pair: makeNkeyPair('user'), ...options },
  })

const auditOf = (region: string = at.region): Record<string, unknown>[] =>
  readFileSync(auditFile(network.homes, region, at.door), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

for (const region of ['ams3', 'sfo2'])
  test.serial(`a workload of ${region} gets its role by its certificate, in ams3`, async (t) => {
    const workload = await workloadOf(region)
    const { creds, region: by } = await exchange(workload)
    t.is(by, at.region)
    t.is(creds.user.claims.name, billing(region))
    const [leaf] = parseCertificates(workload.certificate)
    t.true((creds.user.claims.exp ?? Infinity) * 1000 <= (leaf?.notAfterMs ?? 0))
    const line = await until('the line', () =>
      auditOf().find(({ nkey }) => nkey === creds.pair.publicKey),
    )
    t.like(line, {
      verdict: 'granted',
      rule: 'identity',
      role: 'billing',
      name: billing(region),
      caller: { trigger: 'mtls', identity: { id: billing(region), notAfterMs: leaf?.notAfterMs } },
      credential: { id: creds.user.claims.jti },
    })
  })

test.serial('who stands in no role is known, refused and written down', async (t) => {
  const id = 'spiffe://ams3.archipelago.example/workload/stranger'
  await t.throwsAsync(exchange(await workloadOf('ams3', id)), { code: 'ERR_TOKEN_SUBJECT' })
  await until('the line', () =>
    auditOf().find(
      ({ verdict, caller }) =>
        verdict === 'refused' && JSON.stringify(caller).includes(`"id":"${id}"`),
    ),
  )
})

test.serial('the certificate of another workload is no subject', async (t) => {
  const [own, other] = [await workloadOf('ams3'), await workloadOf('ams3')]
  const { certificate } = other
  // As who read it on the wire: the digest is public, the key is not.
  await t.throwsAsync(exchange({ ...own, certificate }))
})

test.serial('the outside listener takes no certificate, and shows no identity', async (t) => {
  const { https, mtls } = placeOf(network, at)
  const shown = async (endpoint: typeof https) => {
    const [leaf] = (await peerChain({ ...endpoint, mode: 'tls' })).chain
    return parseCertificates(pemOf(leaf as Buffer))[0]?.names.uris
  }
  t.deepEqual(await shown(https), [])
  t.deepEqual(await shown(mtls), ['spiffe://ams3.archipelago.example/function/identity'])
})

const pemOf = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')
    .trimEnd()}\n-----END CERTIFICATE-----\n`

test.serial('a renewed identity is shown to workloads, too', async (t) => {
  const { mtls } = placeOf(network, at)
  const leaf = await reissue(network, { ...at, kind: 'identity' })
  await until('the listener shows it', async () =>
    (await peerChain({ ...mtls, mode: 'tls' })).chain[0]?.equals(leaf.der),
  )
  t.is((await exchange(await workloadOf('ams3'))).region, at.region)
})

test.serial('a region that leaves the bundle map loses its workloads, at once', async (t) => {
  const workload = await workloadOf('sfo2')
  t.is((await exchange(workload)).region, at.region)
  const files = openFiles()
  const file = bundleMapFile(network.homes.public)
  const bundles = new Map(readBundles(files, network.homes))
  bundles.delete(parseTrustDomain('sfo2.archipelago.example'))
  files.write(file, formatBundleMap(bundles))
  await until('it is refused', async () => {
    const error = await exchange(workload).then(
      () => undefined,
      (reason: unknown) => String(reason),
    )
    return error?.includes('ERR_BUNDLE_UNKNOWN')
  })
  t.is((await exchange(await workloadOf('ams3'))).region, at.region)
})
