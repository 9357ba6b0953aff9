// Which requests are heard where. The cluster is its objects in memory: a real one, with walls in front of it, is
// asked in tests/cluster/mesh.test.ts.
import test from 'ava'
import { allKinds, authorityProfile } from '../../../core/identity/authority.ts'
import { formatCertificates } from '../../../core/identity/certificate.ts'
import { requestCertificate } from '../../../core/identity/csr.ts'
import { issueAuthority } from '../../../core/identity/issue.ts'
import { answerAuthorities } from '../../../functions/cluster/authority-answers.ts'
import { listPending } from '../../../functions/cluster/certificate-requests.ts'
import type { Cluster, ClusterObject } from '../../../kube/cluster.ts'
import { Refusal } from '../../../core/errors.ts'
import { makeAuthorityKey } from '../../../store/authority-keys.ts'
import { issuance, makeRoot } from '../../core/identity/example.ts'
import { archipelago as network } from '../../core/trust/example.ts'

const archipelago = {
  ...network,
  kubernetes: { ...network.kubernetes, meshes: ['istio'] as const },
}
const nowMs = Date.now()

type Objects = Map<string, ClusterObject>
const keyOf = ({ kind }: { readonly kind: string }, name: string) => `${kind} ${name}`

function clusterOf(namespace: string, objects: Objects): Cluster {
  const put = async (object: ClusterObject) =>
    void objects.set(keyOf(object, object.metadata.name), object)
  return {
    namespace,
    read: async <T extends ClusterObject>(kind: { kind: string }, name: string) =>
      objects.get(keyOf(kind, name)) as T | undefined,
    list: async <T extends ClusterObject>({ kind }: { kind: string }) =>
      [...objects.values()].filter((each) => each.kind === kind) as T[],
    create: put,
    replace: put,
    replaceStatus: (_, object) => put(object),
  }
}

function request(kind: string, key = makeAuthorityKey()) {
  const object: ClusterObject = {
    ...{ apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest', metadata: { name: kind } },
    spec: {
      request: Buffer.from(requestCertificate(key.privateKey)).toString('base64'),
      isCA: true,
      issuerRef: { group: 'archipelago.example', kind: 'OfflineSigner', name: kind },
    },
  }
  return { object, key, csr: requestCertificate(key.privateKey) }
}

const configMap = (name: string, data = {}): ClusterObject => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
})

const objectsOf = (...all: readonly ClusterObject[]): Objects =>
  new Map(all.map((each) => [keyOf(each, each.metadata.name), each]))

const publicOf = (objects: Objects) =>
  objects.get('ConfigMap region-public')?.['data'] as Record<string, string>

function answering(own: Objects, inNamespace: (namespace: string) => Cluster) {
  const lines: string[] = []
  const cluster = clusterOf('nats', own)
  return {
    lines,
    look: () =>
      answerAuthorities({
        ...{ cluster, inNamespace, archipelago, region: 'ams3', nowMs: () => nowMs },
        report: (line) => void lines.push(line),
      }),
  }
}

test('in the namespace of a mesh its own authority is asked for, and no other', async (t) => {
  const own = objectsOf(configMap('region-public'))
  const [istio, identity] = [request('istio'), request('identity')]
  const theirs = clusterOf(
    'istio-system',
    objectsOf(istio.object, identity.object, request('linkerd').object),
  )
  await answering(own, () => theirs).look()
  t.deepEqual(Object.keys(publicOf(own)), ['istio.csr'])
  // Taken out: whoever rules there would have the operator sign identities for him.
  const heard = await listPending({ cluster: theirs, kinds: allKinds })
  t.deepEqual(heard.map(({ kind }) => kind).toSorted(), ['identity', 'istio', 'linkerd'])
})

test('in the network’s own namespace nobody asks for a mesh', async (t) => {
  const own = objectsOf(configMap('region-public'), request('istio').object)
  await answering(own, () => clusterOf('istio-system', new Map())).look()
  t.deepEqual(publicOf(own), {})
})

test('a mesh that lets nobody look keeps the region’s own authorities not waiting', async (t) => {
  const own = objectsOf(configMap('region-public'), request('identity').object)
  const closed: Cluster = {
    ...clusterOf('istio-system', new Map()),
    list: () => Promise.reject(new Refusal('ERR_CLUSTER_REFUSED', 'cannot list: 403')),
  }
  const { look, lines } = answering(own, () => closed)
  await look()
  t.deepEqual(Object.keys(publicOf(own)), ['identity.csr'])
  t.true(lines.includes('istio: cannot list: 403'))
})

test('it is answered with what the mesh’s own root signed, and not with the limits of another', async (t) => {
  const { object, key } = request('istio')
  const [root, foreign] = [await makeRoot(nowMs), await makeRoot(nowMs)]
  const sign = async (kind: 'istio' | 'linkerd', issuer = root) => {
    const profile = authorityProfile(archipelago, {
      region: 'ams3',
      kind,
      placement: 'distributed',
    })
    const made = { ...issuance('ams3', nowMs, 3600), issuer }
    return formatCertificates([await issueAuthority(key.publicKey, profile, made)])
  }
  const roots = formatCertificates([root.certificate])
  const cases = [
    ['by another root', await sign('istio', foreign), undefined],
    ['with the limits of Linkerd', await sign('linkerd'), undefined],
    ['as it should be', await sign('istio'), 'True'],
  ] as const
  for (const [title, signed, status] of cases) {
    const data = { 'istio.pem': signed, 'istio-roots.pem': roots }
    const own = objectsOf(configMap('region-public'), configMap('region-authority', data))
    const theirs = objectsOf(object)
    await answering(own, () => clusterOf('istio-system', theirs)).look()
    const answered = theirs.get('CertificateRequest istio') as unknown as {
      readonly status?: { readonly conditions: readonly { type: string; status: string }[] }
    }
    t.is(answered.status?.conditions.find(({ type }) => type === 'Ready')?.status, status, title)
  }
})
