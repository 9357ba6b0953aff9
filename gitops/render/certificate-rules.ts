// Rules in CEL by which a cluster admits Certificates: those of the region as they are rendered, letter for
// letter, whoever writes them.
import type { ClusterCertificate } from '../../core/identity/cluster-certificates.ts'

const writers = 'system:serviceaccount:argocd:argocd-application-controller'
const policies =
  "authorizer.group('admissionregistration.k8s.io').resource('validatingadmissionpolicies')"

/** In CEL. Who may change a policy need not go around it. */
export const isWriter = `request.userInfo.username == '${writers}' || ${policies}.check('update').allowed()`

export function certificateRules(
  region: string,
  all: readonly ClusterCertificate[],
  { namespace, durationMax }: { readonly namespace: string; readonly durationMax: string },
): object {
  return {
    failurePolicy: 'Fail',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [
        {
          apiGroups: ['cert-manager.io'],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['certificates'],
        },
      ],
    },
    variables: [
      { name: 'known', expression: cel(table(region, all)) },
      { name: 'wanted', expression: 'variables.known[object.metadata.name]' },
    ],
    validations: [
      { expression: isWriter, message: 'certificates are written by Argo CD alone' },
      {
        expression: 'object.metadata.name in variables.known',
        message: 'no such certificate of this region',
      },
      ...rules.map(([field, expression]) => ({
        expression: `!(object.metadata.name in variables.known) || ${expression}`,
        message: `${field}: not as in archipelago.yaml`,
      })),
      {
        expression: `object.spec.?isCA.orValue(false) || duration(object.spec.?duration.orValue('2160h')) <= duration('${durationMax}')`,
        message: `duration: more than ${durationMax}`,
      },
    ],
  }
}

const same = (field: string) =>
  `object.spec.?${field}.orValue([]).join(',') == variables.wanted['${field}']`
/** In CEL: names nothing of that kind. */
export const absent = (field: string) => `!has(object.spec.${field})`

const rules: readonly (readonly [string, string])[] = [
  ['uris', same('uris')],
  ['dnsNames', same('dnsNames')],
  ['ipAddresses', same('ipAddresses')],
  ['secretName', "object.spec.secretName == variables.wanted['secretName']"],
  ['isCA', "string(object.spec.?isCA.orValue(false)) == variables.wanted['isCA']"],
  ['issuerRef', "object.spec.issuerRef.name == variables.wanted['issuer']"],
  ['commonName', "object.spec.?commonName.orValue('') == variables.wanted['commonName']"],
  ['subject', absent('subject')],
  ['literalSubject', absent('literalSubject')],
  ['otherNames', absent('otherNames')],
  ['emailAddresses', absent('emailAddresses')],
]

type Row = Readonly<Record<string, string>>

function table(region: string, all: readonly ClusterCertificate[]): Map<string, Row> {
  const none = { uris: '', dnsNames: '', ipAddresses: '', commonName: '', isCA: 'false' }
  const authorities = (['identity', 'public'] as const).map((kind) => {
    const own = { secretName: `region-${kind}-authority`, issuer: kind, isCA: 'true' }
    return [`region-${kind}`, { ...none, ...own, commonName: `${region} ${kind}` }] as const
  })
  const leaves = all.map(({ name, authority, id = '', dns, ips }) => {
    const names = { uris: id, dnsNames: dns.join(','), ipAddresses: ips.join(',') }
    return [name, { ...none, ...names, secretName: name, issuer: `region-${authority}` }] as const
  })
  return new Map<string, Row>([...authorities, ...leaves])
}

/** A map of maps of strings; names of this project hold no quote and no backslash. */
function cel(rows: ReadonlyMap<string, Row>): string {
  const inner = (row: Row) =>
    Object.entries(row)
      .map(([key, text]) => `'${key}': '${text}'`)
      .join(', ')
  return `{${[...rows].map(([name, row]) => `'${name}': {${inner(row)}}`).join(', ')}}`
}
