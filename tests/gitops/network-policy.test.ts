import type { V1NetworkPolicy } from '@kubernetes/client-node'
import test from 'ava'
import { parse } from 'yaml'
import { allows, networkPolicies, type Flow } from '../../gitops/network-policy.ts'
import type { Manifest } from '../../gitops/manifest.ts'

const a = { namespace: 'one', labels: { app: 'a' }, ports: [{ name: 'web', containerPort: 80 }] }
const b = { namespace: 'one', labels: { app: 'b' } }
const other = { namespace: 'two', labels: { app: 'b' }, namespaceLabels: { team: 'x' } }
const far = { address: '192.0.2.9' }
const to80 = (from: Flow['from']): Flow => ({ from, to: a, port: 80 })

const policy = (spec: string): V1NetworkPolicy[] => {
  const metadata = { name: 'p', namespace: 'one' }
  const manifest = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata }
  return networkPolicies([{ ...manifest, spec: parse(spec) as unknown } as Manifest])
}

for (const { title, spec, open = [], closed = [] } of [
  {
    title: 'no policy for a pod opens everything',
    spec: '{podSelector: {matchLabels: {app: c}}, ingress: []}',
    open: [to80(b), to80(other), to80(far)],
  },
  {
    title: 'an empty list closes everything',
    spec: '{podSelector: {}, ingress: []}',
    closed: [to80(b), to80(other), to80(far)],
  },
  {
    title: 'an empty rule opens everything',
    spec: '{podSelector: {}, ingress: [{}]}',
    open: [to80(b), to80(other), to80(far)],
  },
  {
    title: 'a pod selector alone means the own namespace',
    spec: '{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]}',
    open: [to80(b)],
    closed: [to80(other), to80(a), to80(far)],
  },
  {
    title: 'two selectors in one entry mean both',
    spec: '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}, podSelector: {matchLabels: {app: a}}}]}]}',
    closed: [to80(other), to80(b)],
  },
  {
    title: 'two selectors in two entries mean either',
    spec: '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}, {podSelector: {matchLabels: {app: b}}}]}]}',
    open: [to80(other), to80(b)],
    closed: [to80(a)],
  },
  {
    title: 'the name of a namespace is a label of it',
    spec: '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: two}}}]}]}',
    open: [to80(other)],
    closed: [to80(b)],
  },
  {
    title: 'a block has exceptions, and a pod without an address is in none',
    spec: '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.8/30]}}]}]}',
    open: [to80({ address: '192.0.2.1' })],
    closed: [to80(far), to80(b), to80({ address: '2001:db8::1' })],
  },
  {
    title: 'a block that holds a pod lets it in',
    spec: '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}',
    open: [to80({ ...b, address: '10.1.1.1' })],
    closed: [to80(b)],
  },
  {
    title: 'a port by its name is the one of the pod',
    spec: '{podSelector: {}, ingress: [{ports: [{port: web}]}]}',
    open: [to80(far)],
    closed: [
      { from: far, to: a, port: 81 },
      { from: far, to: b, port: 80 },
    ],
  },
  {
    title: 'ports have ranges and protocols',
    spec: '{podSelector: {}, ingress: [{ports: [{port: 79, endPort: 80}, {port: 53, protocol: UDP}]}]}',
    open: [to80(far), { from: far, to: b, port: 53, protocol: 'UDP' }],
    closed: [
      { from: far, to: b, port: 53 },
      { from: far, to: b, port: 81 },
    ],
  },
  {
    title: 'a direction that is not named is open',
    spec: '{podSelector: {}, ingress: []}',
    open: [{ from: a, to: far, port: 443 }],
  },
  {
    title: 'egress alone leaves ingress closed where nothing says which',
    spec: '{podSelector: {}, egress: [{}]}',
    open: [{ from: a, to: far, port: 1 }],
    closed: [to80(far)],
  },
  {
    title: 'expressions select',
    spec: '{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [b]}, {key: app, operator: Exists}]}, ingress: []}',
    open: [{ from: far, to: b, port: 80 }],
    closed: [to80(far)],
  },
] as { title: string; spec: string; open?: Flow[]; closed?: Flow[] }[]) {
  test(title, (t) => {
    for (const flow of open) t.true(allows(policy(spec), flow), JSON.stringify(flow))
    for (const flow of closed) t.false(allows(policy(spec), flow), JSON.stringify(flow))
  })
}

test('allowances of several policies add up', (t) => {
  const both = [
    ...policy('{podSelector: {}, ingress: []}'),
    ...policy('{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{podSelector: {}}]}]}'),
  ]
  t.true(allows(both, to80(b)))
  t.false(allows(both, to80(far)))
})
