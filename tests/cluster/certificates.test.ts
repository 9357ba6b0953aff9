// Who gets which certificate in a region's cluster: each protection is seen to hold, and what it holds back is
// seen to come in where it is taken out.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import * as x509 from '@peculiar/x509'
import test from 'ava'
import { authorityProfile } from '../../core/identity/authority.ts'
import { formatCertificates, parseCertificates } from '../../core/identity/certificate.ts'
import { verifyChain } from '../../core/identity/chain.ts'
import { clusterCertificates } from '../../core/identity/cluster-certificates.ts'
import { issueAuthority, issueRoot } from '../../core/identity/issue.ts'
import { requireSvid } from '../../core/identity/svid.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { formatPrivateKey, makeAuthorityKey } from '../../store/authority-keys.ts'
import { until } from '../until.ts'
import { applyAs, grant, isDone, without, withObjects } from './admission.ts'
import { installCertManager } from './addons/cert-manager.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { leftOf } from './left-of.ts'
import { named } from './objects.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const archipelago = readArchipelago(`${root}archipelago.yaml`)
const region = 'ams3'
const server = 'spiffe://ams3.archipelago.example/nats/server'
const lobby = 'spiffe://ams3.archipelago.example/function/lobby'
const lobbyDns = ['ams3-lobby.ams3.archipelago.example', 'function-lobby.nats.svc.cluster.local']
const certManager = 'system:serviceaccount:cert-manager:cert-manager'
const stranger = 'system:serviceaccount:nats:function-lobby'

let lab: Lab
let cluster: Cluster
let authority: Awaited<ReturnType<typeof makeAuthority>>

test.before('a region with its authority, and what is rendered for its certificates', async (t) => {
  lab = await startLab({ regions: [region], nodes: 1, report: (line) => t.log(line) })
  cluster = lab.cluster(region)
  await installCertManager(cluster, lab.toolbox)
  authority = await makeAuthority()
  const overlay = [
    ...(await buildKustomization(`${root}manifests/guards/${region}`)),
    ...(await buildKustomization(`${root}manifests/overlays/${region}`)),
  ]
  const kinds =
    /^(Namespace|CustomResourceDefinition|ServiceAccount|ClusterRole|ClusterRoleBinding)$/
  const first = overlay.filter(({ kind }) => kinds.test(kind))
  await cluster.apply(first)
  await cluster.apply(authority.secrets)
  const own = /^(Role|RoleBinding|Validating.*|CertificateRequestPolicy|Issuer|Certificate)$/
  await cluster.apply(overlay.filter(({ kind }) => own.test(kind)))
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  t.deepEqual(leftOf(id), [])
})

test.serial('every certificate of the region is made, with exactly its own names', async (t) => {
  const leaves = clusterCertificates(archipelago, region)
  const all = leaves.map(({ name }) => `certificate/${name}`)
  await kubectl('wait', ...all, '--for=condition=Ready', '--timeout=60s')
  for (const { name, authority: kind, id, dns } of leaves) {
    const chain = parseCertificates(await secretOf(name, 'tls.crt'))
    const [leaf] = chain
    t.deepEqual(leaf?.names.uris, id === undefined ? [] : [id])
    t.deepEqual(leaf?.names.dns.toSorted(), [...dns].toSorted())
    // Also by the authority's name constraints, which cert-manager does not look at.
    const purposes =
      kind === 'identity' ? (['serverAuth', 'clientAuth'] as const) : (['serverAuth'] as const)
    verifyChain(chain, [authority.roots[kind]], { nowMs: Date.now(), purposes })
    if (leaf !== undefined && id !== undefined) t.is(requireSvid(leaf), id)
  }
})

const attacks = [
  { title: "another's URI", name: 'svid-function-lobby-91', uris: [server], dns: lobbyDns },
  { title: 'two URIs', name: 'svid-function-lobby-92', uris: [lobby, server], dns: lobbyDns },
  {
    title: 'a foreign DNS name',
    name: 'svid-function-lobby-93',
    uris: [lobby],
    dns: ['ams3-0.ams3.archipelago.example'],
  },
  {
    title: 'to be an authority',
    name: 'svid-function-lobby-94',
    uris: [lobby],
    dns: lobbyDns,
    isCa: true,
  },
  {
    title: 'the names of another under its own name',
    name: 'svid-function-invite-95',
    uris: [lobby],
    dns: lobbyDns,
  },
  {
    title: 'a URI of another region',
    name: 'svid-function-lobby-96',
    uris: ['spiffe://sfo2.archipelago.example/function/lobby'],
    dns: lobbyDns,
  },
] as const

test.serial(
  'what a request may not ask for is denied, and admitted where no policy is',
  async (t) => {
    await applyAs(
      cluster,
      certManager,
      await requestOf('svid-function-lobby-90', { uris: [lobby], dns: lobbyDns }),
    )
    t.is(await verdictOf('svid-function-lobby-90'), 'Approved', 'what it may ask for')
    for (const { title, name, ...asked } of attacks) {
      await applyAs(cluster, certManager, await requestOf(name, asked))
      t.is(await verdictOf(name), 'Denied', title)
    }
    await withObjects(cluster, permissive, async () => {
      for (const { title, name, ...asked } of attacks) {
        const twin = `${name}-twin`
        await applyAs(cluster, certManager, await requestOf(twin, asked))
        t.is(await verdictOf(twin), 'Approved', `${title}, with a policy that admits all`)
      }
    })
  },
)

test.serial('nobody but cert-manager asks for a certificate', async (t) => {
  await withObjects(cluster, mayRequest, async () => {
    const request = await requestOf('svid-function-lobby-80', { uris: [lobby], dns: lobbyDns })
    const refused = await t.throwsAsync(applyAs(cluster, stranger, request))
    t.regex(refused?.message ?? '', /certificates are requested by cert-manager alone/)
    await without(cluster, 'archipelago-certificate-requests', async () => {
      await until('the policy to be out', () => isDone(applyAs(cluster, stranger, request)))
      // The next wall: approver-policy knows no policy that this account may use.
      await kubectl('get', 'certificaterequest/svid-function-lobby-80')
      t.is(await verdictNow('svid-function-lobby-80'), undefined)
    })
  })
})

test.serial('a Certificate is as it is rendered, or is not', async (t) => {
  const [good] = (await buildKustomization(`${root}manifests/overlays/${region}`)).filter(
    ({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'svid-function-lobby',
  )
  if (good === undefined) throw new RangeError('no such certificate')
  const { spec } = good as unknown as { spec: Record<string, unknown> }
  const edits: [string, Record<string, unknown>, RegExp][] = [
    ["another's URI", { uris: [server] }, /uris: not as in archipelago\.yaml/],
    ['two URIs', { uris: [lobby, server] }, /uris: not as/],
    ['a foreign DNS name', { dnsNames: ['ams3-0.ams3.archipelago.example'] }, /dnsNames: not as/],
    ['an authority', { isCA: true, usages: ['cert sign'] }, /isCA: not as/],
    ["another's Secret", { secretName: 'svid-nats-server' }, /secretName: not as/],
    [
      'the operator’s signature',
      { issuerRef: { group: 'archipelago.example', kind: 'OfflineSigner', name: 'identity' } },
      /issuerRef: not as/,
    ],
    ['a long life', { duration: '48h', renewBefore: '24h' }, /duration: more than 60m/],
    ['a common name', { commonName: 'ams3-0' }, /commonName: not as/],
  ]
  for (const [title, edit, message] of edits) {
    const edited = { ...good, spec: { ...spec, ...edit } }
    const error = await t.throwsAsync(cluster.apply([edited]), undefined, title)
    t.regex(error?.message ?? '', message, title)
  }
  const other = { ...good, metadata: { ...good.metadata, name: 'svid-of-mine' } }
  const unknown = await t.throwsAsync(cluster.apply([other]))
  t.regex(unknown?.message ?? '', /no such certificate of this region/)
  await withObjects(cluster, mayRequest, async () => {
    const error = await t.throwsAsync(applyAs(cluster, stranger, good))
    t.regex(error?.message ?? '', /certificates are written by Argo CD alone/)
  })
  await without(cluster, 'archipelago-certificates', async () => {
    const [, edit] = edits[0] ?? []
    const edited = { ...good, spec: { ...spec, ...edit } }
    await until('the policy to be out', () => isDone(cluster.apply([edited])))
    // The next wall: the request that cert-manager makes of it is denied.
    const denied = async () => (await verdicts()).includes('svid-function-lobby Denied')
    t.true(await until('its request to be denied', denied))
    await cluster.apply([good])
  })
})

test.serial('answer-authority answers for the offline signer alone', async (t) => {
  const answer = 'system:serviceaccount:nats:answer-authority'
  const status = JSON.stringify({
    status: { certificate: Buffer.from('planted').toString('base64') },
  })
  const patch = ['patch', 'certificaterequest/svid-function-lobby-91', '--subresource=status']
  const rights = [...patch, '--type=merge', '-p', status, '--as', answer]
  await withObjects(cluster, mayPatch, async () => {
    const error = await t.throwsAsync(kubectl(...rights))
    t.regex(error?.message ?? '', /answer-authority answers for the offline signer alone/)
    await without(cluster, 'archipelago-certificate-requests', async () => {
      const isPatched = () => isDone(kubectl(...rights))
      t.true(await until('the policy to be out', isPatched))
    })
  })
  const secrets = await t.throwsAsync(kubectl('get', 'secret/leafnode', '--as', answer))
  t.regex(secrets?.message ?? '', /Forbidden|forbidden/)
})

const kubectl = (...args: string[]) => cluster.kubectl(['--namespace', 'nats', ...args])

async function secretOf(name: string, key: string): Promise<string> {
  const path = `{.data.${key.replace('.', '\\.')}}`
  const encoded = await kubectl('get', 'secret', name, '-o', `jsonpath=${path}`)
  return Buffer.from(encoded, 'base64').toString()
}

async function verdictNow(name: string): Promise<string | undefined> {
  const path = '{range .status.conditions[?(@.status=="True")]}{.type} {end}'
  const types = await kubectl('get', 'certificaterequest', name, '-o', `jsonpath=${path}`)
  return /Denied|Approved/.exec(types)?.[0]
}

const verdictOf = (name: string) => until(`a verdict on ${name}`, () => verdictNow(name))

/** By the name of the Certificate, the newest request's verdict. */
async function verdicts(): Promise<string[]> {
  const list = JSON.parse(await kubectl('get', 'certificaterequests', '-o', 'json')) as {
    items: { metadata: { name: string }; status?: { conditions?: { type: string }[] } }[]
  }
  return list.items.flatMap(({ metadata, status }) =>
    (status?.conditions ?? []).map(({ type }) => `${metadata.name.replace(/-\d+$/, '')} ${type}`),
  )
}

interface Asked {
  readonly uris: readonly string[]
  readonly dns: readonly string[]
  readonly isCa?: boolean
}

async function requestOf(name: string, { uris, dns, isCa = false }: Asked): Promise<object> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const names = [
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...dns.map((value) => ({ type: 'dns' as const, value })),
  ]
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(names, true)],
  })
  return {
    ...named('cert-manager.io/v1', 'CertificateRequest', name),
    metadata: { name, namespace: 'nats' },
    spec: {
      request: Buffer.from(request.toString('pem')).toString('base64'),
      isCA: isCa,
      duration: '1h',
      usages: ['digital signature', 'server auth', 'client auth'],
      issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'region-identity' },
    },
  }
}

const allowed = { required: false, values: ['*'] }
const permissive = [
  {
    ...named('policy.cert-manager.io/v1alpha1', 'CertificateRequestPolicy', 'everything'),
    spec: {
      allowed: {
        isCA: true,
        uris: allowed,
        dnsNames: allowed,
        usages: ['digital signature', 'server auth', 'client auth'],
      },
      selector: { issuerRef: {} },
    },
  },
  ...grant('everything', certManager, [
    {
      apiGroups: ['policy.cert-manager.io'],
      resources: ['certificaterequestpolicies'],
      resourceNames: ['everything'],
      verbs: ['use'],
    },
  ]),
]
const mayRequest = grant('may-request', stranger, [
  {
    apiGroups: ['cert-manager.io'],
    resources: ['certificates', 'certificaterequests'],
    verbs: ['get', 'create', 'update', 'patch'],
  },
])
const mayPatch = grant('may-patch', 'system:serviceaccount:nats:answer-authority', [
  {
    apiGroups: ['cert-manager.io'],
    resources: ['certificaterequests', 'certificaterequests/status'],
    verbs: ['get', 'patch'],
  },
])

/** As the operator signs it; here cert-manager is handed the keys at once. */
async function makeAuthority() {
  const nowMs = Date.now()
  const made = await Promise.all(
    (['identity', 'public'] as const).map(async (kind) => {
      const [rootPair, pair] = [makeAuthorityKey(), makeAuthorityKey()]
      const issuance = { nowMs, lifetimeSeconds: 86_400, serial: Buffer.alloc(16, 1) }
      const certificate = await issueRoot(rootPair, { ...issuance, commonName: `${kind} root` })
      const issuer = { certificate, key: rootPair.privateKey }
      const profile = authorityProfile(archipelago, { region, kind, placement: 'distributed' })
      const own = { ...issuance, issuer, commonName: `${region} ${kind}` }
      const signed = await issueAuthority(pair.publicKey, profile, own)
      const data = {
        'tls.crt': formatCertificates([signed]),
        'tls.key': formatPrivateKey(pair.privateKey),
        'ca.crt': formatCertificates([certificate]),
      }
      const secret = {
        ...named('v1', 'Secret', `region-${kind}-authority`),
        metadata: { name: `region-${kind}-authority`, namespace: 'nats' },
        type: 'kubernetes.io/tls',
        stringData: data,
      }
      return { kind, certificate, secret }
    }),
  )
  const rootOf = (wanted: string) => {
    const found = made.find(({ kind }) => kind === wanted)
    if (found === undefined) throw new RangeError(wanted)
    return found.certificate
  }
  return {
    roots: { identity: rootOf('identity'), public: rootOf('public') },
    secrets: made.map(({ secret }) => secret),
  }
}
