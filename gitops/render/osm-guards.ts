// Open Service Mesh asks for each certificate by a request of its own, which approver-policy has to know: those
// below the region's trust domain, and its webhooks'. It signs with RSA, and sets no purposes.
import type { Archipelago } from '../../core/archipelago.ts'
import { meshPlaces } from '../../core/identity/mesh.ts'
import { regionDomain } from '../../core/identity/names.ts'

const { namespace } = meshPlaces.osm
const name = 'archipelago-mesh-osm'
/** Of its control plane, which its installation names after the mesh. */
const serviceAccount = 'osm'
/** It asks for this one when it starts, to learn its root, and shows it to nobody. */
const probe = 'init-cert'

export function osmGuards(archipelago: Pick<Archipelago, 'trustDomain'>, region: string): object[] {
  const values = [`*.${regionDomain(archipelago, region)}`, `*.${namespace}.svc`, probe]
  const rbac = 'rbac.authorization.k8s.io'
  return [
    {
      apiVersion: 'policy.cert-manager.io/v1alpha1',
      kind: 'CertificateRequestPolicy',
      metadata: { name },
      spec: {
        allowed: {
          isCA: false,
          commonName: { required: true, value: '*', validations: [oneOf(values)] },
          dnsNames: { required: true, values },
          usages: ['key encipherment', 'digital signature'],
        },
        constraints: { privateKey: { algorithm: 'RSA', minSize: 2048, maxSize: 4096 } },
        selector: {
          issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'mesh-osm' },
          namespace: { matchNames: [namespace] },
        },
      },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: { name, namespace },
      rules: [
        {
          apiGroups: ['policy.cert-manager.io'],
          resources: ['certificaterequestpolicies'],
          resourceNames: [name],
          verbs: ['use'],
        },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
    },
  ]
}

/** In CEL, for there is one value with a wildcard and not three. */
const oneOf = (values: readonly string[]) => ({
  rule: values
    .map((value) =>
      value.startsWith('*') ? `self.endsWith('${value.slice(1)}')` : `self == '${value}'`,
    )
    .join(' || '),
  message: 'no name of this mesh in this region',
})
