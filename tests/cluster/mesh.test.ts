// The authorities of meshes in a region's cluster: their keys are born where the mesh reads them, their requests go
// the way of the region's own, and nobody gets one who should not.
import 'reflect-metadata'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, webcrypto } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import test from 'ava'
import { parseCertificates } from '../../core/identity/certificate.ts'
import { verifyChain } from '../../core/identity/chain.ts'
import { meshPlaces, meshes } from '../../core/identity/mesh.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { renderComponent } from '../../image/component.ts'
import { runScript } from '../run-script.ts'
import { until } from '../until.ts'
import { installCertManager } from './addons/cert-manager.ts'
import { applyAs, grant, isDone, without, withObjects } from './admission.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { leftOf } from './left-of.ts'
import { named } from './objects.ts'
import { makeProjectImages } from './project-images.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'archipelago-mesh-'))
const [clone, data, stick] = ['clone', 'data', 'stick'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]
const patience = { deadlineMs: 180_000 }
const certManager = 'system:serviceaccount:cert-manager:cert-manager'
const osm = 'system:serviceaccount:osm-system:osm'
const stranger = 'system:serviceaccount:istio-system:istiod'
let lab: Lab
let cluster: Cluster

test.before('a region with every mesh’s authority, and none of the meshes', async (t) => {
  const report = (line: string): void => t.log(line)
  const images = await makeProjectImages(join(folder, 'images'), report)
  lab = await startLab({ regions: ['ams3'], nodes: 1, images, report })
  cluster = lab.cluster('ams3')
  await installCertManager(cluster, lab.toolbox)
  mkdirSync(clone)
  cpSync(join(root, 'manifests'), join(clone, 'manifests'), { recursive: true })
  const archipelago = readFileSync(join(root, 'archipelago.yaml'), 'utf8')
  const kubernetes = `kubernetes:\n  meshes: [${meshes.join(', ')}]\n`
  writeFileSync(join(clone, 'archipelago.yaml'), `${archipelago}\n${kubernetes}`)
  await script(t, 'render-manifests')
  const component = join(clone, 'manifests/components/images/kustomization.yaml')
  writeFileSync(component, renderComponent(images))
  for (const args of [
    ['init', '-q'],
    ['config', 'user.name', 'o'],
    ['config', 'user.email', 'o@o'],
  ])
    execFileSync('git', ['-C', clone, ...args])
  const all = [...(await build('guards/ams3')), ...(await build('overlays/ams3'))]
  const isFirst = ({ kind }: Manifest) =>
    /^(Namespace|CustomResource.*Definition|ConfigMap|ServiceAccount)$/.test(kind)
  await cluster.apply(all.filter(isFirst))
  const walls =
    /^((Cluster)?Role(Binding)?|ValidatingAdmissionPolicy(Binding)?|Certificate.*Policy)$/
  await cluster.apply(all.filter(({ kind }) => walls.test(kind)))
  const home = /^(region-keys|answer-authority|region-identity|region-public)$/
  await cluster.apply(
    all.filter(
      ({ kind, metadata }) =>
        /^(Job|Deployment|Certificate)$/.test(kind) && home.test(metadata.name),
    ),
  )
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  rmSync(folder, { recursive: true })
  t.deepEqual(leftOf(id), [])
})

test.serial('each key is made in the cluster, and its request is published', async (t) => {
  for (const mesh of meshes) await cluster.apply(await certificatesOf(mesh))
  const asked = await until('the requests of all meshes', published, patience)
  t.notRegex(JSON.stringify(asked), /PRIVATE KEY/)
  for (const mesh of meshes) t.regex(asked[`${mesh}.csr`] ?? '', /BEGIN CERTIFICATE REQUEST/)
})

test.serial('whoever asks for identities in a mesh’s namespace is not heard', async (t) => {
  const before = (await published())?.['identity.csr']
  t.truthy(before)
  await applyAs(
    cluster,
    certManager,
    offlineRequest('identity', await requestOf({}), 'istio-system'),
  )
  // What is asked for after it is published: of the mesh whose key is made anew.
  const linkerd = (await published())?.['linkerd.csr']
  await kubectl('linkerd', 'delete', 'certificate/mesh-linkerd', '--wait')
  await kubectl('linkerd', 'delete', 'certificaterequests', '--all')
  await cluster.apply(await certificatesOf('linkerd'))
  await until(
    'the next request of Linkerd',
    async () => (await published())?.['linkerd.csr'] !== linkerd,
    patience,
  )
  t.is((await published())?.['identity.csr'], before)
})

test.serial(
  'the operator signs each by its own root, and the mesh finds what it reads',
  async (t) => {
    await script(t, 'bootstrap-trust', '--home', 'operator', '--data-dir', data)
    await script(t, 'make-root', '--key-dir', stick, '--data-dir', data)
    for (const mesh of meshes)
      await script(t, 'make-root', '--kind', mesh, '--key-dir', stick, '--data-dir', data)
    const pasted = join(folder, 'region-public.yaml')
    writeFileSync(pasted, await kubectl('nats', 'get', 'configmap/region-public', '-o', 'yaml'))
    const from = ['--file', pasted, '--root-key-dir', stick, '--data-dir', data]
    await script(t, 'adopt-region', 'ams3', ...from)
    await cluster.apply(await build('trust/ams3'))
    for (const mesh of meshes) {
      const { namespace, secret } = meshPlaces[mesh]
      const ready = [`certificate/mesh-${mesh}`, '--for=condition=Ready', '--timeout=120s']
      await kubectl(namespace, 'wait', ...ready)
      const [crt, key, ca] = await Promise.all(
        ['tls.crt', 'tls.key', 'ca.crt'].map((name) => secretOf(namespace, secret, name)),
      )
      const [authority] = parseCertificates(crt ?? '')
      if (authority === undefined) return t.fail(mesh)
      t.regex(key ?? '', mesh === 'linkerd' ? /^-----BEGIN EC PRIVATE/ : /^-----BEGIN PRIVATE/)
      t.true(authority.openssl.checkPrivateKey(createPrivateKey(key ?? '')), mesh)
      const purposes = ['serverAuth', 'clientAuth'] as const
      const roots = parseCertificates(ca ?? '')
      t.is(verifyChain([authority], roots, { nowMs: Date.now(), purposes }).length, 2, mesh)
      t.deepEqual(authority.nameConstraints?.excluded.ips, ['0.0.0.0/0', '::/0'], mesh)
    }
  },
)

test.serial('the authority of a mesh is as it is rendered, or is not', async (t) => {
  const [good] = (await certificatesOf('istio')) as [Manifest & { spec: Record<string, unknown> }]
  const edits: [string, object, RegExp][] = [
    ['a name', { dnsNames: ['ams3-0.ams3.archipelago.example'] }, /dnsNames: not as/],
    ['a URI', { uris: ['spiffe://ams3.archipelago.example/nats/server'] }, /uris: not as/],
    ["another's Secret", { secretName: 'mine' }, /secretName: not as/],
    [
      'an identity authority',
      { issuerRef: { group: 'archipelago.example', kind: 'OfflineSigner', name: 'identity' } },
      /issuerRef: not as/,
    ],
    ['no authority', { isCA: false }, /isCA: not as/],
  ]
  for (const [title, edit, message] of edits) {
    const error = await t.throwsAsync(
      cluster.apply([{ ...good, spec: { ...good.spec, ...edit } }]),
      undefined,
      title,
    )
    t.regex(error?.message ?? '', message, title)
  }
  const metadata = { ...good.metadata, name: 'other' }
  const other = await t.throwsAsync(cluster.apply([{ ...good, metadata }]))
  t.regex(other?.message ?? '', /name: not as the authority of this mesh/)
  await withObjects(cluster, mayRequest, async () => {
    const error = await t.throwsAsync(applyAs(cluster, stranger, good))
    t.regex(error?.message ?? '', /written by Argo CD alone/)
    const request = offlineRequest('istio', await requestOf({}), 'istio-system')
    const asked = await t.throwsAsync(applyAs(cluster, stranger, request))
    t.regex(asked?.message ?? '', /authorities are requested by cert-manager alone/)
    await without(cluster, 'archipelago-mesh-requests', async () => {
      await until('the policy to be out', () => isDone(applyAs(cluster, stranger, request)))
    })
  })
  await without(cluster, 'archipelago-mesh-certificates', async () => {
    const edited = { ...good, metadata, spec: { ...good.spec, secretName: 'mine' } }
    await until('the policy to be out', () => isDone(cluster.apply([edited])))
  })
  t.pass()
})

test.serial('what else a mesh’s people have certificates for is their own affair', async (t) => {
  const name = 'ingress'
  const spec = {
    secretName: name,
    dnsNames: ['shop.example'],
    issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'theirs' },
  }
  const certificate = {
    ...named('cert-manager.io/v1', 'Certificate', name),
    metadata: { name, namespace: 'istio-system' },
    spec,
  }
  await withObjects(cluster, mayRequest, async () => {
    await applyAs(cluster, stranger, certificate)
    t.pass()
  })
})

const osmNames = [
  ['a workload of its own region', 'web.shop.ams3.archipelago.example', 'Approved'],
  ['its webhook', 'osm-injector.osm-system.svc', 'Approved'],
  ['the name by which it learns its root', 'init-cert', 'Approved'],
  ['a workload of another region', 'web.shop.sfo2.archipelago.example', 'Denied'],
  ['a service of the cluster', 'kubernetes.default.svc', 'Denied'],
] as const

test.serial('Open Service Mesh gets certificates for its own names alone', async (t) => {
  const [, issuer] = (await build('meshes/ams3/osm')).toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
  t.is(issuer?.kind, 'Issuer')
  await cluster.apply([issuer as Manifest])
  await withObjects(cluster, mayRequestOsm, async () => {
    for (const [index, [title, name, verdict]] of osmNames.entries()) {
      await applyAs(cluster, osm, osmRequest(`osm-${index}`, await requestOf({ name })))
      t.is(await verdictOf(`osm-${index}`), verdict, title)
    }
    await withObjects(cluster, permissive, async () => {
      for (const [index, [title, name]] of osmNames.entries()) {
        await applyAs(cluster, osm, osmRequest(`osm-${index}-twin`, await requestOf({ name })))
        t.is(await verdictOf(`osm-${index}-twin`), 'Approved', `${title}, with a policy for all`)
      }
    })
  })
  await kubectl('osm-system', 'wait', 'certificaterequest/osm-0', '--for=condition=Ready')
  const chain = await kubectl(
    ...(['osm-system', 'get', 'certificaterequest/osm-0', '-o'] as const),
    'jsonpath={.status.certificate}',
  )
  // By RSA, which only OpenSSL reads here.
  const pem = Buffer.from(chain, 'base64').toString()
  const ca = join(folder, 'osm-roots.pem')
  writeFileSync(ca, await secretOf('osm-system', 'osm-authority', 'ca.crt'))
  writeFileSync(join(folder, 'osm.pem'), pem)
  const file = join(folder, 'osm.pem')
  const said = execFileSync('openssl', ['verify', '-CAfile', ca, '-untrusted', file, file])
  t.regex(said.toString(), /: OK/)
})

const build = (path: string) => buildKustomization(join(clone, 'manifests', path))

const certificatesOf = async (mesh: string) =>
  (await build(`meshes/ams3/${mesh}`)).filter(({ kind }) => kind === 'Certificate')

const kubectl = (namespace: string, ...args: string[]) =>
  cluster.kubectl(['--namespace', namespace, ...args], { deadlineMs: 250_000 })

interface Script {
  is(actual: unknown, expected: unknown, message?: string): unknown
}

async function script(t: Script, name: string, ...args: string[]): Promise<void> {
  const ran = await runScript(name, args, { cwd: clone })
  t.is(ran.code, 0, ran.stderr)
}

/** The requests of the region, once all are there. */
async function published(): Promise<Record<string, string> | undefined> {
  const text = await kubectl('nats', 'get', 'configmap/region-public', '-o', 'json').catch(() => '')
  const wanted = ['identity', 'public', ...meshes].map((kind) => `${kind}.csr`)
  if (text === '') return undefined
  const { data } = JSON.parse(text) as { data: Record<string, string> }
  return wanted.every((key) => key in data) ? data : undefined
}

async function secretOf(namespace: string, name: string, key: string): Promise<string> {
  const path = `jsonpath={.data.${key.replace('.', '\\.')}}`
  const encoded = await kubectl(namespace, 'get', 'secret', name, '-o', path)
  return Buffer.from(encoded, 'base64').toString()
}

/** As Open Service Mesh makes it: RSA, one name in two places; without a name that of an authority. */
async function requestOf({ name }: { readonly name?: string }): Promise<string> {
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }
  const parameters = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
  const keys = await webcrypto.subtle.generateKey({ ...rsa, ...parameters }, true, [
    'sign',
    'verify',
  ])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: rsa,
    name: `CN=${name ?? 'authority'}`,
    extensions:
      name === undefined
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  return Buffer.from(request.toString('pem')).toString('base64')
}

const offlineRequest = (kind: string, request: string, namespace: string) => ({
  ...named('cert-manager.io/v1', 'CertificateRequest', `planted-${kind}`),
  metadata: { name: `planted-${kind}`, namespace },
  spec: {
    request,
    isCA: true,
    usages: ['cert sign', 'crl sign'],
    issuerRef: { group: 'archipelago.example', kind: 'OfflineSigner', name: kind },
  },
})

const osmRequest = (name: string, request: string) => ({
  ...named('cert-manager.io/v1', 'CertificateRequest', name),
  metadata: { name, namespace: 'osm-system' },
  spec: {
    request,
    isCA: false,
    duration: '24h',
    usages: ['key encipherment', 'digital signature'],
    issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'mesh-osm' },
  },
})

const verdictOf = (name: string) =>
  until(`a verdict on ${name}`, async () => {
    const path = '{range .status.conditions[?(@.status=="True")]}{.type} {end}'
    const types = await kubectl(
      ...(['osm-system', 'get', 'certificaterequest', name, '-o', `jsonpath=${path}`] as const),
    )
    return /Denied|Approved/.exec(types)?.[0]
  })

const requests = {
  apiGroups: ['cert-manager.io'],
  resources: ['certificates', 'certificaterequests'],
  verbs: ['get', 'create', 'update', 'patch'],
}
const mayRequest = grant('may-request', stranger, [requests])
const mayRequestOsm = grant('may-request-osm', osm, [requests])
const anything = { required: false, values: ['*'] }
const permissive = [
  {
    ...named('policy.cert-manager.io/v1alpha1', 'CertificateRequestPolicy', 'everything'),
    spec: {
      allowed: {
        commonName: { required: false, value: '*' },
        dnsNames: anything,
        usages: ['key encipherment', 'digital signature'],
      },
      selector: { issuerRef: {} },
    },
  },
  ...grant('everything', osm, [
    {
      apiGroups: ['policy.cert-manager.io'],
      resources: ['certificaterequestpolicies'],
      resourceNames: ['everything'],
      verbs: ['use'],
    },
  ]),
]
