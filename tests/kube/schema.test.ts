import test from 'ava'
import { findSchemaFaults } from '../../kube/schema.ts'

const service = (spec: unknown, metadata: object = { name: 'a' }) => ({
  ...{ apiVersion: 'v1', kind: 'Service' },
  metadata,
  spec,
})

for (const [title, object, faults] of [
  ['a port as number or name', service({ ports: [{ port: 1, targetPort: 'a' }] }), []],
  ['an unknown field', service({ selectors: {} }), ['.spec.selectors: unknown field']],
  [
    'an unknown field deep down',
    service({ ports: [{ port: 1, targetport: 1 }] }),
    ['.spec.ports[0].targetport: unknown field'],
  ],
  ['a map for a list', service({ ports: { port: 1 } }), ['.spec.ports: must be a list']],
  ['a list for a map', service([]), ['.spec: must be a map']],
  ['nothing for a map', service(null), ['.spec: must be a map']],
  [
    'a text for a number',
    service({ ports: [{ port: '80' }] }),
    ['.spec.ports[0].port: must be a number'],
  ],
  [
    'a truth for a text, as YAML has it',
    service({}, { name: 'a', labels: { a: true } }),
    ['.metadata.labels.a: must be a string'],
  ],
  [
    'a number for a text',
    service({}, { name: 'a', annotations: { 'argocd.argoproj.io/sync-wave': -5 } }),
    ['.metadata.annotations.argocd.argoproj.io/sync-wave: must be a string'],
  ],
  [
    'an unknown field of a policy of admission',
    {
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' },
      spec: { validation: [] },
    },
    ['.spec.validation: unknown field'],
  ],
] as const) {
  test(`schema: ${title}`, (t) => {
    t.deepEqual(findSchemaFaults(object), [...faults])
  })
}

test('of kinds that others define nothing is known', (t) => {
  const certificate = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', spec: 1 }
  t.is(findSchemaFaults(certificate), undefined)
})

test('a kind that Kubernetes itself does not have is a fault', (t) => {
  t.deepEqual(findSchemaFaults({ apiVersion: 'v1', kind: 'Servise' }), [
    'unknown kind: Servise (v1)',
  ])
  t.deepEqual(findSchemaFaults({ apiVersion: 'apps/v2', kind: 'Deployment' }), [
    'unknown kind: Deployment (apps/v2)',
  ])
  t.deepEqual(findSchemaFaults({}), ['unknown kind: undefined ()'])
})
