// The lab itself: that its clusters are what they claim to be, and that nothing of it stays.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { until } from '../until.ts'
import type { Cluster } from './lab/cluster.ts'
import { startLab, type Lab } from './lab/lab.ts'
import { worldLines } from './lab/wan.ts'
import { leftOf, machineSettings } from './left-of.ts'
import { named, podOf, serviceOf, webPodOf } from './objects.ts'

const regions = ['ams3', 'sfo2', 'sgp1']
const nodePort = 30080
const settings = machineSettings()
let lab: Lab

test.before('three regions of two nodes', async (t) => {
  lab = await startLab({ regions, nodes: 2, report: (line) => t.log(line) })
})

test.after.always('nothing is left', async (t) => {
  const { id } = lab
  await lab.stop()
  t.deepEqual(leftOf(id), [])
})

for (const region of regions) {
  test(`${region}: a pod finds a service by its name, from either node`, async (t) => {
    const cluster = lab.cluster(region)
    await cluster.apply([
      webPodOf('web', { node: `${region}-1` }),
      serviceOf('web', nodePort),
      ...cluster.nodes.map(({ name }) =>
        podOf(`ask-${name}`, ['sh', '-c', askAgain('web.default.svc.cluster.local')], {
          node: name,
        }),
      ),
    ])
    for (const { name } of cluster.nodes) {
      await succeeded(cluster, `ask-${name}`)
      t.is(await cluster.kubectl(['logs', `ask-${name}`]), 'web\n')
    }
  })
}

test('nodes have an external address, as a cloud gives it to them', async (t) => {
  const { kubectl, nodes } = lab.cluster('sfo2')
  const path = '{.items[*].status.addresses[?(@.type=="ExternalIP")].address}'
  const found = await kubectl(['get', 'nodes', '-o', `jsonpath=${path}`])
  t.is(found, nodes.map(({ address }) => address).join(' '))
})

test('the client outside reaches a node port in every region, and no pod', async (t) => {
  for (const region of regions) {
    const { kubectl, nodes } = lab.cluster(region)
    t.is(await askFromOutside(nodes[0]?.address ?? '', nodePort), 'web\n')
    const pod = await kubectl(['get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}'])
    await t.throwsAsync(askFromOutside(pod, 8080))
  }
})

test('a region reaches another by its node address, after as long as the world is wide', async (t) => {
  await lab.wan.delay(worldLines)
  const [node = { name: '', address: '' }] = lab.cluster('ams3').nodes
  const [other = { name: '', address: '' }] = lab.cluster('sgp1').nodes
  const form = ['-s', '-o', '/dev/null', '-w', '%{time_connect}']
  const url = `http://${other.address}:${nodePort}/hostname`
  const seconds = Number(await lab.cluster('ams3').runIn(node.name, 'curl', [...form, url]))
  t.true(seconds > 0.155 && seconds < 0.4, `${seconds} s`)
})

test('a region that is cut off is out of reach, and back when it is joined', async (t) => {
  const { nodes, kubectl } = lab.cluster('sgp1')
  const { address = '' } = nodes[0] ?? {}
  await lab.cut('sgp1')
  await t.throwsAsync(askFromOutside(address, nodePort))
  // Inside, life goes on.
  t.is(await kubectl(['get', '--raw=/readyz']), 'ok')
  await lab.join('sgp1')
  t.is(await until('the region', () => askFromOutside(address, nodePort)), 'web\n')
})

test('pod security is enforced', async (t) => {
  const { apply } = lab.cluster('ams3')
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await apply([{ ...named('v1', 'Namespace', 'strict'), metadata: { name: 'strict', labels } }])
  const loose = podOf('loose', ['sleep', '1'], { namespace: 'strict' })
  const error = await t.throwsAsync(apply([loose]))
  t.regex(error?.message ?? '', /violates PodSecurity "restricted/)
})

test('a validating admission policy is enforced', async (t) => {
  const { kubectl, apply } = lab.cluster('ams3')
  await apply(denyConfigMaps('default'))
  const attempt = ['create', 'configmap', 'no', '--dry-run=server']
  const refusal = await until('the policy to hold', () =>
    kubectl(attempt).then(
      () => undefined,
      (error: unknown) => String(error),
    ),
  )
  t.regex(refusal, /not in this namespace/)
})

test("a pod's token names the cluster as its issuer", async (t) => {
  const { kubectl } = lab.cluster('ams3')
  const token = await kubectl(['create', 'token', 'default', '--audience=archipelago'])
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
  const { iss, sub, aud } = JSON.parse(payload) as Record<string, unknown>
  t.deepEqual(
    { iss, sub, aud },
    {
      iss: 'https://kubernetes.default.svc.cluster.local',
      sub: 'system:serviceaccount:default:default',
      aud: ['archipelago'],
    },
  )
})

test('a node that is killed is missed, and comes back', async (t) => {
  const { kubectl, nodes, killNode, restartNode } = lab.cluster('ams3')
  const { name = '' } = nodes[1] ?? {}
  const ready = ['-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']
  const state = () => kubectl(['get', 'node', name, ...ready])
  await killNode(name)
  const isMissed = async () => (await state()) === 'Unknown'
  await until('the node to be missed', isMissed, { deadlineMs: 60_000 })
  await restartNode(name)
  t.is(await state(), 'True')
})

test('a control plane that loses its power comes back with what it knew', async (t) => {
  const { kubectl, killNode, restartNode } = lab.cluster('sgp1')
  await kubectl(['create', 'configmap', 'known', '--from-literal=it=is'])
  await killNode('sgp1-1')
  await restartNode('sgp1-1')
  t.is(await kubectl(['get', 'configmap', 'known', '-o', 'jsonpath={.data.it}']), 'is')
})

test('a cluster that is deleted comes back empty, and the others stay', async (t) => {
  const cluster = lab.cluster('sfo2')
  const before = await cluster.kubectl(['get', 'namespace', 'kube-system', ...uid])
  await cluster.delete()
  t.is(await askFromOutside(lab.cluster('ams3').nodes[0]?.address ?? '', nodePort), 'web\n')
  await cluster.create()
  const after = await cluster.kubectl(['get', 'namespace', 'kube-system', ...uid])
  t.not(after, before)
  t.is(await cluster.kubectl(['get', 'pods', '-o', 'name']), '')
})

test('the machine keeps its settings, interfaces and folders', (t) => {
  t.deepEqual(machineSettings(), settings)
})

test('a lab whose process is killed leaves nothing either', async (t) => {
  const program = fileURLToPath(new URL('half-a-lab.ts', import.meta.url))
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [id] = (await once(createInterface(child.stdout), 'line')) as [string]
  t.true(leftOf(id).length > 3)
  child.kill('SIGKILL')
  await until('everything to be gone', () => leftOf(id).length === 0)
  t.pass()
})

const uid = ['-o', 'jsonpath={.metadata.uid}']

function askFromOutside(host: string, port: number): Promise<string> {
  return lab.client.run('curl', ['-sf', '--max-time', '2', `http://${host}:${port}/hostname`])
}

function askAgain(host: string): string {
  return `until wget -q -O- http://${host}:8080/hostname 2>/dev/null; do sleep 1; done`
}

async function succeeded({ kubectl }: Cluster, pod: string): Promise<void> {
  const wait = ['wait', `pod/${pod}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']
  await kubectl(wait, { deadlineMs: 70_000 })
}

function denyConfigMaps(namespace: string): object[] {
  const api = 'admissionregistration.k8s.io/v1'
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } }
  const resources = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }
  const matchConstraints = {
    resourceRules: [{ ...resources, operations: ['CREATE'] }],
    namespaceSelector,
  }
  const validations = [{ expression: 'false', message: 'not in this namespace' }]
  const binding = { policyName: 'none', validationActions: ['Deny'] }
  return [
    {
      ...named(api, 'ValidatingAdmissionPolicy', 'none'),
      spec: { matchConstraints, validations },
    },
    { ...named(api, 'ValidatingAdmissionPolicyBinding', 'none'), spec: binding },
  ]
}
