// Who may ask for the authority of a mesh, and who answers: applied by the operator, with the other guards.
import type { Archipelago } from '../../core/archipelago.ts'
import { meshPlaces, type Mesh } from '../../core/identity/mesh.ts'
import { offlineSigner } from '../../core/identity/offline-signer.ts'
import { absent, isWriter } from './certificate-rules.ts'
import { osmGuards } from './osm-guards.ts'

type Facts = Pick<Archipelago, 'kubernetes' | 'trustDomain'>

const rbac = 'rbac.authorization.k8s.io'
const answerer = 'answer-authority'
const certManager = 'system:serviceaccount:cert-manager:cert-manager'
const offline = `object.spec.issuerRef.?group.orValue('') == '${offlineSigner.group}'`

/** None where there is no mesh. */
export function meshGuards(facts: Facts, region: string): object[] {
  const { meshes, namespace } = facts.kubernetes
  if (meshes.length === 0) return []
  return [
    ...meshes.map((mesh) => namespaceOf(mesh)),
    ...meshes.flatMap((mesh) => answerRights(mesh, namespace)),
    approval(meshes),
    binding('ClusterRoleBinding', { name: approvalName }, { namespace, role: 'ClusterRole' }),
    ...(meshes.includes('osm') ? osmGuards(facts, region) : []),
    ...policy('archipelago-mesh-certificates', certificatePolicy(meshes)),
    ...policy('archipelago-mesh-requests', requestPolicy(meshes, namespace)),
  ]
}

/** The authority is there before its mesh is: without it each would make one of its own. */
const namespaceOf = (mesh: Mesh) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: meshPlaces[mesh].namespace },
})

/** In the mesh's namespace: requests, and no Secret. */
function answerRights(mesh: Mesh, namespace: string): object[] {
  const metadata = { name: `archipelago-${answerer}`, namespace: meshPlaces[mesh].namespace }
  const rules = [
    { apiGroups: ['cert-manager.io'], resources: ['certificaterequests'], verbs: ['get', 'list'] },
    {
      apiGroups: ['cert-manager.io'],
      resources: ['certificaterequests/status'],
      verbs: ['update'],
    },
  ]
  return [
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules },
    binding('RoleBinding', metadata, { namespace, role: 'Role' }),
  ]
}

const approvalName = 'archipelago-answer-meshes'

/** cert-manager's webhook asks for it without a namespace. */
const approval = (meshes: readonly Mesh[]) => ({
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRole',
  metadata: { name: approvalName },
  rules: [
    {
      apiGroups: ['cert-manager.io'],
      resources: ['signers'],
      resourceNames: meshes.map(
        (mesh) => `offlinesigners.archipelago.example/${meshPlaces[mesh].namespace}.${mesh}`,
      ),
      verbs: ['approve'],
    },
  ],
})

const binding = (
  kind: string,
  metadata: { readonly name: string },
  { namespace, role }: { readonly namespace: string; readonly role: string },
) => ({
  apiVersion: `${rbac}/v1`,
  kind,
  metadata,
  roleRef: { apiGroup: rbac, kind: role, name: metadata.name },
  subjects: [{ kind: 'ServiceAccount', name: answerer, namespace }],
})

const policy = (name: string, spec: object): object[] => [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { failurePolicy: 'Fail', ...spec },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny', 'Audit'] },
  },
]

const inMeshes = (meshes: readonly Mesh[], ...resources: readonly string[]) => ({
  namespaceSelector: {
    matchExpressions: [
      {
        key: 'kubernetes.io/metadata.name',
        operator: 'In',
        values: meshes.map((mesh) => meshPlaces[mesh].namespace),
      },
    ],
  },
  resourceRules: [
    {
      apiGroups: ['cert-manager.io'],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources,
    },
  ],
})

/** Only of the authority: what else the mesh's own people have certificates for is not looked at. */
function certificatePolicy(meshes: readonly Mesh[]): object {
  const rows = meshes.map((mesh) => {
    const { namespace, secret } = meshPlaces[mesh]
    return `'${namespace}': {'name': 'mesh-${mesh}', 'secretName': '${secret}', 'issuer': '${mesh}'}`
  })
  return {
    matchConstraints: inMeshes(meshes, 'certificates'),
    variables: [
      { name: 'wanted', expression: `{${rows.join(', ')}}[object.metadata.namespace]` },
      {
        name: 'isAuthority',
        expression: [
          "object.metadata.name == variables.wanted['name']",
          "object.spec.secretName == variables.wanted['secretName']",
          offline,
        ].join(' || '),
      },
    ],
    validations: [
      {
        expression: `!variables.isAuthority || ${isWriter}`,
        message: 'the authority of a mesh is written by Argo CD alone',
      },
      ...authorityRules.map(([field, expression]) => ({
        expression: `!variables.isAuthority || ${expression}`,
        message: `${field}: not as the authority of this mesh has it`,
      })),
    ],
  }
}

const same = (field: string, key: string) => `${field} == variables.wanted['${key}']`

const authorityRules: readonly (readonly [field: string, expression: string])[] = [
  ['name', same('object.metadata.name', 'name')],
  ['secretName', same('object.spec.secretName', 'secretName')],
  ['isCA', 'object.spec.?isCA.orValue(false)'],
  ['issuerRef', `${offline} && ${same('object.spec.issuerRef.name', 'issuer')}`],
  ['commonName', same("object.spec.?commonName.orValue('')", 'issuer')],
  ...[
    'uris',
    'dnsNames',
    'ipAddresses',
    'subject',
    'literalSubject',
    'otherNames',
    'emailAddresses',
  ].map((field) => [field, absent(field)] as const),
]

function requestPolicy(meshes: readonly Mesh[], namespace: string): object {
  return {
    matchConstraints: inMeshes(meshes, 'certificaterequests', 'certificaterequests/status'),
    variables: [{ name: 'isOffline', expression: offline }],
    validations: [
      {
        expression: `!variables.isOffline || request.operation != 'CREATE' || request.userInfo.username == '${certManager}'`,
        message: 'authorities are requested by cert-manager alone, for Certificates',
      },
      {
        expression: `request.userInfo.username != 'system:serviceaccount:${namespace}:${answerer}' || variables.isOffline`,
        message: 'answer-authority answers for the offline signer alone',
      },
    ],
  }
}
