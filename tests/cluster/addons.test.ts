// What the lab installs beside Kubernetes: that it is the real thing, and works.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { dirname, join } from 'node:path'
import test from 'ava'
import { openTerminal } from '../docs/terminal.ts'
import { until } from '../until.ts'
import { installArgoCd } from './addons/argo-cd.ts'
import { installCertManager } from './addons/cert-manager.ts'
import { serveRepository, type Repository } from './addons/repository.ts'
import { installSealedSecrets } from './addons/sealed-secrets.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { run } from './lab/run.ts'
import { leftOf } from './left-of.ts'
import { named } from './objects.ts'

let lab: Lab
let cluster: Cluster
let repository: Repository

test.before('one region with everything', async (t) => {
  const report = (line: string): void => t.log(line)
  lab = await startLab({ regions: ['ams3'], nodes: 1, report })
  cluster = lab.cluster('ams3')
  repository = await serveRepository(lab, 'archipelago')
  const start = performance.now()
  const timed = async (name: string, installation: Promise<void>): Promise<void> => {
    await installation
    report(`${name} after ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }
  await Promise.all([
    timed('cert-manager', installCertManager(cluster, lab.toolbox)),
    timed(
      'Argo CD',
      installArgoCd(cluster, lab.toolbox, { authorities: repository.authorities, report }),
    ),
    timed('sealed-secrets', installSealedSecrets(cluster, lab.toolbox)),
  ])
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  t.deepEqual(leftOf(id), [])
})

test('cert-manager refuses, by its webhook, what its API does not allow', async (t) => {
  const bad = certificate('bad', { secretName: 'bad', duration: '10m' })
  const error = await t.throwsAsync(cluster.apply([bad]))
  t.regex(error?.message ?? '', /admission webhook "webhook.cert-manager.io" denied the request/)
})

test('requests are approved by policies alone: cert-manager itself may not', async (t) => {
  const mayApprove = async (account: string) => {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:cert-manager:${account}`,
        resourceAttributes: {
          group: 'cert-manager.io',
          resource: 'signers',
          verb: 'approve',
          name: 'issuers.cert-manager.io/*',
        },
      },
    }
    const ask = ['create', '-f', '-', '-o', 'jsonpath={.status.allowed}']
    return (await cluster.kubectl(ask, { input: JSON.stringify(review) })) === 'true'
  }
  t.false(await mayApprove('cert-manager'))
  t.true(await mayApprove('cert-manager-approver-policy'))
})

test('a certificate is signed only where a policy admits it', async (t) => {
  const { kubectl, apply } = cluster
  await apply([issuer('own', { selfSigned: {} }), ...admitting('admitted')])
  await apply([
    certificate('admitted', { isCA: true, commonName: 'admitted', secretName: 'admitted' }),
    certificate('other', { isCA: true, commonName: 'other', secretName: 'other' }),
  ])
  await kubectl(['wait', 'certificate/admitted', '--for=condition=Ready', '--timeout=30s'])
  const path = '{.status.conditions[?(@.type=="Denied")].status}'
  const isDenied = () =>
    kubectl(['get', 'certificaterequest/other-1', '-o', `jsonpath=${path}`]).then(
      (status) => status === 'True',
      () => false,
    )
  t.true(await until('the other to be denied', isDenied))
})

test('a CA issuer signs with the key that a certificate has made', async (t) => {
  const { kubectl, apply } = cluster
  const uri = 'spiffe://ams3.example/nats/server'
  await apply([
    issuer('authority', { ca: { secretName: 'admitted' } }),
    certificate('leaf', { uris: [uri], secretName: 'leaf' }, 'authority'),
  ])
  await kubectl(['wait', 'certificate/leaf', '--for=condition=Ready', '--timeout=30s'])
  const path = '{.data.tls\\.crt}'
  const encoded = await kubectl(['get', 'secret', 'leaf', '-o', `jsonpath=${path}`])
  const leaf = new X509Certificate(Buffer.from(encoded, 'base64'))
  t.is(leaf.subjectAltName, `URI:${uri}`)
  t.is(leaf.issuer, 'CN=admitted')
})

test('Argo CD pulls what is pushed, heals drift and prunes', async (t) => {
  const { kubectl, apply } = cluster
  const data = () => kubectl(['get', 'configmap', 'pulled', '-o', 'jsonpath={.data.text}'])
  const push = await openWorkTree(repository)
  await push({ 'app/kustomization.yaml': kustomization, 'app/pulled.yaml': configMap('one') })
  await apply([project(repository.url), application(repository.url)])
  await until('the first sync', async () => (await data().catch(() => '')) === 'one', patient)
  await push({ 'app/pulled.yaml': configMap('two') })
  await refresh(cluster)
  await until('the second', async () => (await data()) === 'two', patient)
  await kubectl(['patch', 'configmap', 'pulled', '--patch', '{"data":{"text":"drift"}}'])
  await until('drift to be healed', async () => (await data()) === 'two', patient)
  await push({ 'app/kustomization.yaml': 'resources: []\n' })
  await refresh(cluster)
  await until('it to be pruned', async () => (await data().catch(() => 'gone')) === 'gone', patient)
  t.pass()
})

test('a secret that was sealed for this cluster is opened in it, in its namespace only', async (t) => {
  const { kubectl, apply } = cluster
  const kubeseal = join(await lab.toolbox.peer('sealed-secrets'), 'bin/kubeseal')
  const [node = { name: '' }] = cluster.nodes
  const seal = (args: string[], input = '') =>
    cluster.runIn(node.name, kubeseal, ['--kubeconfig', cluster.kubeconfig(), ...args], { input })
  const secret = { ...named('v1', 'Secret', 'sealed'), stringData: { word: 'open' } }
  const fetch = 'kubeseal --fetch-cert > manifests/overlays/ams3/sealing-certificate.pem'
  const clone = mkdtempSync(join(lab.folder, 'clone-'))
  mkdirSync(join(clone, 'manifests/overlays/ams3'), { recursive: true })
  const PATH = `${dirname(kubeseal)}:${process.env['PATH']}`
  const env = { KUBECONFIG: cluster.kubeconfig(), PATH }
  await openTerminal({ clone, home: clone, env, prefix: lab.client.prefix }).type(fetch)
  const [, file = ''] = fetch.split(' > ')
  t.regex(readFileSync(join(clone, file), 'utf8'), /-----BEGIN CERTIFICATE-----/)
  const sealed = await seal(['--namespace=default'], JSON.stringify(secret))
  t.false(sealed.includes('open'))
  await apply([JSON.parse(sealed) as object])
  const word = ['get', 'secret', 'sealed', '-o', 'jsonpath={.data.word}']
  const opened = await until('it to be opened', () => kubectl(word).catch(() => undefined))
  t.is(Buffer.from(opened, 'base64').toString(), 'open')
  const moved = JSON.parse(sealed.replaceAll('"default"', '"kube-public"')) as object
  await apply([moved])
  const status = ['-n', 'kube-public', 'get', 'sealedsecret', 'sealed', '-o', 'jsonpath={.status}']
  await until('it to be refused', async () => /no key could decrypt/.test(await kubectl(status)))
})

const patient = { deadlineMs: 60_000 }
const kustomization = 'resources: [pulled.yaml]\n'

function configMap(text: string): string {
  return JSON.stringify({ ...named('v1', 'ConfigMap', 'pulled'), data: { text } })
}

function issuer(name: string, spec: object) {
  return { ...named('cert-manager.io/v1', 'Issuer', name), spec }
}

function certificate(name: string, spec: object, issuerName = 'own') {
  const issuerRef = { name: issuerName, kind: 'Issuer' }
  const privateKey = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' }
  return {
    ...named('cert-manager.io/v1', 'Certificate', name),
    spec: { privateKey, issuerRef, ...spec },
  }
}

/** Policies that admit a CA of that name, and SVIDs; whoever may use them is cert-manager itself. */
function admitting(commonName: string): object[] {
  const names = ['one-authority', 'svids']
  const rbac = 'rbac.authorization.k8s.io/v1'
  const rule = {
    apiGroups: ['policy.cert-manager.io'],
    resources: ['certificaterequestpolicies'],
    verbs: ['use'],
    resourceNames: names,
  }
  const account = { kind: 'ServiceAccount', name: 'cert-manager', namespace: 'cert-manager' }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'policies' }
  return [
    policy('one-authority', 'own', { isCA: true, commonName: { value: commonName } }),
    policy('svids', 'authority', { uris: { values: ['spiffe://ams3.example/*'] } }),
    { ...named(rbac, 'ClusterRole', 'policies'), rules: [rule] },
    { ...named(rbac, 'ClusterRoleBinding', 'policies'), roleRef, subjects: [account] },
  ]
}

function policy(name: string, issuerName: string, allowed: object): object {
  const selector = { issuerRef: { name: issuerName, kind: 'Issuer', group: 'cert-manager.io' } }
  return {
    ...named('policy.cert-manager.io/v1alpha1', 'CertificateRequestPolicy', name),
    spec: { allowed, selector },
  }
}

function project(repoURL: string): object {
  return {
    ...named('argoproj.io/v1alpha1', 'AppProject', 'app'),
    metadata: { name: 'app', namespace: 'argocd' },
    spec: {
      sourceRepos: [repoURL],
      destinations: [{ server: 'https://kubernetes.default.svc', namespace: 'default' }],
    },
  }
}

function application(repoURL: string): object {
  return {
    ...named('argoproj.io/v1alpha1', 'Application', 'app'),
    metadata: { name: 'app', namespace: 'argocd' },
    spec: {
      project: 'app',
      source: { repoURL, path: 'app', targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
      syncPolicy: { automated: { prune: true, selfHeal: true, allowEmpty: true } },
    },
  }
}

async function refresh({ kubectl }: Cluster): Promise<void> {
  const annotation = 'argocd.argoproj.io/refresh=normal'
  await kubectl(['-n', 'argocd', 'annotate', 'application', 'app', annotation, '--overwrite'])
}

/** Commits files and pushes them. */
async function openWorkTree({ folder }: Repository) {
  const tree = join(lab.folder, 'work-tree')
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=lab', '-c', 'user.email=lab@example.com', '-C', tree, ...args])
  mkdirSync(join(tree, 'app'), { recursive: true })
  await git('init', '--quiet', '--initial-branch=main')
  return async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, content] of Object.entries(files)) writeFileSync(join(tree, path), content)
    await git('add', '--all')
    await git('commit', '--quiet', '--message=change')
    await git('push', '--quiet', folder, 'main')
  }
}
