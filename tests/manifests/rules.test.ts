// Every rule seen failing: what ams3 really gets, with one thing in it broken.
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { nkeyPairFrom } from '../../core/trust/nkey.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { breachesOf, manifestRules } from '../../gitops/rules.ts'
import { readArchipelago } from '../../store/archipelago.ts'
import { breakManifests, type Break } from './broken.ts'

const root = join(import.meta.dirname, '../..')
const archipelago = readArchipelago(join(root, 'archipelago.yaml'))
const folder = 'manifests/overlays/ams3'
const manifests = await buildKustomization(join(root, folder))

const breaches = (built: readonly Manifest[], region: string | undefined = 'ams3') =>
  breachesOf({ folder, region, archipelago, manifests: built })

test('what ams3 gets breaks no rule', (t) => {
  t.deepEqual(breaches(manifests), [])
})

const servers = ['StatefulSet', 'ams3'] as const
const pod = ['spec', 'template', 'spec'] as const
const container = [...pod, 'containers', 0] as const
const security = [...container, 'securityContext'] as const
const client = ['Service', 'nats-client'] as const
const config = ['ConfigMap', 'nats-reload'] as const
const account = ['ServiceAccount', 'nats-server'] as const

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
const { seed } = nkeyPairFrom('user', Buffer.alloc(32, 7))

const cases: readonly (readonly [title: string, broken: Break, rule: string, fault: string])[] = [
  [
    'a Service in another namespace',
    { of: client, at: ['metadata', 'namespace'], value: 'default' },
    'overlays fit archipelago.yaml',
    'Service default/nats-client: not in the namespace nats',
  ],
  [
    'pods of another region',
    {
      of: servers,
      at: ['spec', 'template', 'metadata', 'labels', 'app.kubernetes.io/instance'],
      value: 'sfo2',
    },
    'overlays fit archipelago.yaml',
    'StatefulSet nats/ams3: app.kubernetes.io/instance is sfo2, not ams3',
  ],
  [
    'another number of servers',
    { of: servers, at: ['spec', 'replicas'], value: 4 },
    'overlays fit archipelago.yaml',
    'its servers: 4, not 3',
  ],
  [
    'servers that are killed while their clients move',
    { of: servers, at: [...pod, 'terminationGracePeriodSeconds'], value: 35 },
    'overlays fit archipelago.yaml',
    'servers are killed after 35 s, while their clients move for 35 s',
  ],
  ...['nats-server', 'nats-server:2.15.2', `nats-server:2.15.2@sha256:${'0'.repeat(64)}`].map(
    (image) =>
      [
        `the image '${image}'`,
        { of: servers, at: [...container, 'image'], value: image },
        'images by digest',
        `StatefulSet nats/ams3: image of nats-server without a digest: '${image}'`,
      ] as const,
  ),
  [
    'a Secret',
    { of: config, at: ['kind'], value: 'Secret' },
    'no secret in plain text',
    'Secret nats/nats-reload: a Secret in git',
  ],
  ...(
    [
      ['a private key', pem],
      ['the seed of an nkey', seed],
      ['a secret key of age', 'AGE-SECRET-KEY-1QQQQQQ'],
    ] as const
  ).flatMap(([what, text]) =>
    [text, Buffer.from(text).toString('base64')].map(
      (value, index) =>
        [
          `${what} in a ConfigMap${index === 0 ? '' : ', in base64'}`,
          { of: config, at: ['data', 'note'], value },
          'no secret in plain text',
          `ConfigMap nats/nats-reload: ${what} at .data.note`,
        ] as const,
    ),
  ),
  [
    'a variable from a Secret',
    {
      of: servers,
      at: [...container, 'env', 1],
      value: { name: 'A', valueFrom: { secretKeyRef: { name: 'a', key: 'a' } } },
    },
    'no secret in an environment',
    'StatefulSet nats/ams3: nats-server takes a Secret into its environment',
  ],
  [
    'all variables from a Secret',
    { of: servers, at: [...container, 'envFrom'], value: [{ secretRef: { name: 'a' } }] },
    'no secret in an environment',
    'StatefulSet nats/ams3: nats-server takes a Secret into its environment',
  ],
  ...(
    [
      [[...pod, 'hostNetwork'], true, 'shares with its node: hostNetwork'],
      [[...pod, 'hostPID'], true, 'shares with its node: hostPID'],
      [[...pod, 'volumes', 0], { name: 'h', hostPath: {} }, 'volume of a forbidden kind: h'],
      [[...pod, 'securityContext', 'runAsNonRoot'], undefined, 'runAsNonRoot is not true'],
      [[...pod, 'securityContext', 'runAsUser'], 0, 'runAsUser names no other user than root'],
      [
        [...pod, 'securityContext', 'seccompProfile', 'type'],
        'Unconfined',
        'seccompProfile is not RuntimeDefault',
      ],
      [[...pod, 'securityContext', 'sysctls'], [{ name: 'a', value: 'b' }], 'sets sysctls'],
      [[...pod, 'automountServiceAccountToken'], undefined, 'leaves open whether it has a token'],
      [[...security, 'privileged'], true, 'nats-server: is privileged'],
      [
        [...security, 'allowPrivilegeEscalation'],
        undefined,
        'nats-server: allowPrivilegeEscalation is not false',
      ],
      [
        [...security, 'readOnlyRootFilesystem'],
        undefined,
        'nats-server: readOnlyRootFilesystem is not true',
      ],
      [
        [...security, 'capabilities', 'drop'],
        ['NET_RAW'],
        'nats-server: does not drop all capabilities',
      ],
      [
        [...security, 'capabilities', 'add'],
        ['SYS_ADMIN'],
        'nats-server: adds capabilities: SYS_ADMIN',
      ],
      [[...security, 'runAsUser'], 0, 'nats-server: runs as root'],
      [[...security, 'runAsNonRoot'], false, 'nats-server: runAsNonRoot is false'],
      [
        [...security, 'seccompProfile'],
        { type: 'Unconfined' },
        'nats-server: has no seccomp profile',
      ],
      [[...security, 'procMount'], 'Unmasked', 'nats-server: sees the whole of /proc'],
      [[...container, 'ports', 0, 'hostPort'], 4222, 'nats-server: takes a port of its node'],
    ] as const
  ).map(
    ([at, value, fault]) =>
      [
        `a pod that is not restricted: ${fault}`,
        { of: servers, at, value },
        'pods are restricted',
        `StatefulSet nats/ams3: ${fault}`,
      ] as const,
  ),
  [
    'a limit above its request',
    { of: servers, at: [...container, 'resources', 'limits', 'memory'], value: '1Gi' },
    'requests equal limits',
    'StatefulSet nats/ams3: nats-server: request and limit of memory are not the same',
  ],
  [
    'no limit at all',
    { of: servers, at: [...container, 'resources'], value: undefined },
    'requests equal limits',
    'StatefulSet nats/ams3: nats-server: request and limit of cpu are not the same',
  ],
  [
    'a GOMEMLIMIT that leaves nothing',
    { of: servers, at: [...container, 'env', 1, 'value'], value: '500MiB' },
    'requests equal limits',
    'StatefulSet nats/ams3: nats-server: GOMEMLIMIT leaves less than a tenth of the memory limit: 500MiB',
  ],
  [
    'a service account that gives its token away',
    { of: account, at: ['automountServiceAccountToken'], value: undefined },
    'service account tokens for few',
    'ServiceAccount nats-server: gives its token to every pod',
  ],
  [
    'a server with a token',
    { of: servers, at: [...pod, 'automountServiceAccountToken'], value: true },
    'service account tokens for few',
    'StatefulSet nats/ams3: has a token of nats-server',
  ],
  [
    'a service account that nobody makes',
    { of: servers, at: [...pod, 'serviceAccountName'], value: 'default' },
    'service account tokens for few',
    'StatefulSet nats/ams3: unknown service account: default',
  ],
  [
    'a service that selects nobody',
    { of: client, at: ['spec', 'selector', 'app.kubernetes.io/name'], value: 'nast' },
    'services lead to pods',
    'Service nats/nats-client: selects no pod',
  ],
  [
    'a gateway service of a pod that is not there',
    {
      of: ['Service', 'nats-gateway-0'],
      at: ['spec', 'selector', 'statefulset.kubernetes.io/pod-name'],
      value: 'ams3-3',
    },
    'services lead to pods',
    'Service nats/nats-gateway-0: selects no pod',
  ],
  [
    'a service to a port that no pod has',
    { of: client, at: ['spec', 'ports', 0, 'targetPort'], value: 'clients' },
    'services lead to pods',
    'Service nats/nats-client: no pod has the port clients',
  ],
  ...(['monitor', 8222] as const).map(
    (targetPort) =>
      [
        `a service to monitoring, as ${targetPort}`,
        { of: client, at: ['spec', 'ports', 0, 'targetPort'], value: targetPort },
        'services lead to pods',
        'Service nats/nats-client: opens monitoring as client',
      ] as const,
  ),
  [
    'a service that is open to the outside, and nobody is told',
    { of: ['Service', 'nats'], at: ['spec', 'type'], value: 'NodePort' },
    'services are open as declared',
    'Service nats/nats: is a NodePort, not a ClusterIP',
  ],
  [
    'a service that is not open where people are told to come',
    { of: ['Service', 'function-lobby'], at: ['spec', 'type'], value: 'ClusterIP' },
    'services are open as declared',
    'Service nats/function-lobby: is a ClusterIP, not a NodePort',
  ],
  [
    'a service behind which nobody sees who comes',
    { of: client, at: ['spec', 'externalTrafficPolicy'], value: 'Cluster' },
    'services are open as declared',
    'Service nats/nats-client: hides who comes (externalTrafficPolicy: Cluster, not Local)',
  ],
  [
    'a ConfigMap that nobody makes',
    { of: servers, at: [...pod, 'volumes', 0, 'configMap', 'name'], value: 'nats-confg' },
    'mounts are there',
    'StatefulSet nats/ams3: mounts what nobody makes: ConfigMap nats-confg',
  ],
  [
    'a Secret that nobody makes and nobody waits for',
    {
      of: servers,
      at: [...pod, 'volumes', 0],
      value: { name: 'config', secret: { secretName: 'keys' } },
    },
    'mounts are there',
    'StatefulSet nats/ams3: mounts what nobody makes: Secret keys',
  ],
  [
    'a port that was forgotten by every policy',
    {
      of: servers,
      at: [...container, 'ports', 6],
      value: { name: 'profiling', containerPort: 6060 },
    },
    'network policies cover every port',
    'StatefulSet nats/ams3: no policy speaks of its port 6060 (profiling)',
  ],
]

for (const [title, broken, rule, fault] of cases) {
  test(`refused: ${title}`, (t) => {
    const found = breaches(breakManifests(manifests, broken))
    t.true(found.includes(`${rule}: ${fault}`), found.join('\n'))
  })
}

test('every rule has been seen failing', (t) => {
  const seen = new Set(cases.map(([, , rule]) => rule))
  t.deepEqual(
    manifestRules.map(({ name }) => name).filter((name) => !seen.has(name)),
    [],
  )
})

test('a fault never repeats the secret that it is about', (t) => {
  const broken = breakManifests(manifests, { of: config, at: ['data', 'note'], value: seed })
  t.false(breaches(broken).join('').includes(seed))
})

test('a secret is refused in every folder, also in one of no region', (t) => {
  const broken = breakManifests(manifests, { of: config, at: ['kind'], value: 'Secret' })
  const found = breachesOf({ folder: 'manifests/argocd/health', archipelago, manifests: broken })
  t.deepEqual(found, ['no secret in plain text: Secret nats/nats-reload: a Secret in git'])
})
