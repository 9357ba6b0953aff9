// The lab itself: that its clusters are what they claim to be, and that nothing of it stays.
import { readdirSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { until } from '../until.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { labImages } from './lab/lab-images.ts'

let lab: Lab

test.before('a lab', async (t) => {
  lab = await startLab({ regions: ['ams3'], nodes: 2, report: (line) => t.log(line) })
})

test.after.always('what is left', async (t) => {
  const { id } = lab
  await lab.stop()
  t.deepEqual(leftOf(id), [])
})

for (const region of ['ams3']) {
  test(`${region}: a pod finds a service by its name, on either node`, async (t) => {
    const { kubectl, nodes, apply } = lab.cluster(region)
    await apply([
      podOf('web', nodes[0]?.name, ['httpd', '-f', '-p', '8080', '-h', '/etc']),
      serviceOf('web'),
    ])
    const ask =
      'until wget -q -O- http://web.default.svc.cluster.local:8080/hostname; do sleep 1; done'
    for (const { name } of nodes) {
      await apply([podOf(`ask-${name}`, name, ['sh', '-c', ask])])
      const wait = '--for=jsonpath={.status.phase}=Succeeded'
      await kubectl(['wait', `pod/ask-${name}`, wait, '--timeout=60s'], { deadlineMs: 70_000 })
      t.is(await kubectl(['logs', `ask-${name}`]), 'web\n')
    }
  })
}

test('nodes have an external address, as a cloud gives it to them', async (t) => {
  const { kubectl, nodes } = lab.cluster('ams3')
  const path = '{.items[*].status.addresses[?(@.type=="ExternalIP")].address}'
  const found = await kubectl(['get', 'nodes', '-o', `jsonpath=${path}`])
  t.deepEqual(
    found.split(' '),
    nodes.map(({ address }) => address),
  )
})

test('pod security and validating policies are enforced', async (t) => {
  const { kubectl, apply } = lab.cluster('ams3')
  await apply([
    {
      ...named('v1', 'Namespace', 'strict'),
      metadata: { name: 'strict', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    ...denyConfigMaps(),
  ])
  await refused(
    t,
    apply([inNamespace(podOf('loose', undefined, ['sleep', '1']), 'strict')]),
    /violates PodSecurity "restricted/,
  )
  await until('the policy to hold', () =>
    kubectl(['-n', 'strict', 'create', 'configmap', 'no', '--dry-run=server']).then(
      () => false,
      (error: unknown) => String(error).includes('not in this namespace'),
    ),
  )
  t.pass()
})

test('a token of a pod names the cluster as issuer and can be reviewed', async (t) => {
  const { kubectl } = lab.cluster('ams3')
  const token = (await kubectl(['create', 'token', 'default', '--audience=archipelago'])).trim()
  const claims = JSON.parse(
    Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
  ) as Record<string, unknown>
  t.is(claims['iss'], 'https://kubernetes.default.svc.cluster.local')
  t.is(claims['sub'], 'system:serviceaccount:default:default')
  t.deepEqual(claims['aud'], ['archipelago'])
})

test('a node that is killed comes back with its pods', async (t) => {
  const { kubectl, nodes, killNode, restartNode } = lab.cluster('ams3')
  const { name = '' } = nodes[1] ?? {}
  await killNode(name)
  const state = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`
  await until(
    'the node to be missed',
    async () => (await kubectl(['get', 'node', name, '-o', state])) === 'Unknown',
    { deadlineMs: 60_000 },
  )
  await restartNode(name)
  t.is(await kubectl(['get', 'node', name, '-o', state]), 'True')
})

test('the client outside reaches a node port, and no pod', async (t) => {
  const { kubectl, nodes } = lab.cluster('ams3')
  const patch = '{"spec":{"type":"NodePort","ports":[{"port":8080,"nodePort":30080}]}}'
  await kubectl(['patch', 'service', 'web', '--patch', patch])
  const ask = (host: string, port: number) =>
    lab.client.run('curl', ['-sf', '--max-time', '2', `http://${host}:${port}/hostname`])
  const [{ address } = { address: '' }] = nodes
  await until('the node port', () =>
    ask(address, 30080).then(
      (answer) => answer === 'web\n',
      () => false,
    ),
  )
  const pod = await kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}'])
  await t.throwsAsync(ask(pod, 8080))
})

function named(apiVersion: string, kind: string, name: string) {
  return { apiVersion, kind, metadata: { name } }
}

function podOf(name: string, nodeName: string | undefined, command: readonly string[]) {
  const container = { name: 'main', image: labImages.busybox, imagePullPolicy: 'Never', command }
  const spec = {
    nodeName,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [container],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec }
}

function serviceOf(app: string) {
  return { ...named('v1', 'Service', app), spec: { selector: { app }, ports: [{ port: 8080 }] } }
}

function inNamespace(pod: ReturnType<typeof podOf>, namespace: string) {
  return { ...pod, metadata: { ...pod.metadata, namespace } }
}

function denyConfigMaps(): object[] {
  const api = 'admissionregistration.k8s.io/v1'
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE'],
    resources: ['configmaps'],
  }
  const constraints = {
    resourceRules: [rule],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'strict' } },
  }
  const validations = [{ expression: 'false', message: 'not in this namespace' }]
  return [
    {
      ...named(api, 'ValidatingAdmissionPolicy', 'none'),
      spec: { matchConstraints: constraints, validations },
    },
    {
      ...named(api, 'ValidatingAdmissionPolicyBinding', 'none'),
      spec: { policyName: 'none', validationActions: ['Deny'] },
    },
  ]
}

async function refused(
  t: ExecutionContext,
  attempt: Promise<string>,
  reason: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(attempt)
  t.regex(error?.message ?? '', reason)
}

/** Names of the lab wherever it could have left something. */
function leftOf(id: string): string[] {
  const places = ['/run/netns', '/run/archipelago-lab', '/sys/fs/cgroup', ...list('/sys/fs/cgroup')]
  return places.flatMap((place) => list(place).filter((each) => each.includes(id)))
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => `${folder}/${name}`)
  } catch {
    return []
  }
}
