// The Secret from which a mesh reads its authority, where no cert-manager fills it.
import type { KeyObject } from 'node:crypto'
import { meshPlaces, type Mesh } from '../core/identity/mesh.ts'
import { Refusal } from '../core/errors.ts'

export interface MeshAuthority {
  readonly key: KeyObject
  /** PEM. */
  readonly certificate: string
  readonly root: string
}

interface Layout {
  readonly type: string
  readonly data: Readonly<Record<string, string>>
}

/** Refuses Open Service Mesh, which without cert-manager takes no such authority. */
export function requireSelfSigning(mesh: Mesh): asserts mesh is SelfSigning {
  if (mesh !== 'osm') return
  const why = 'by itself it signs with RSA keys alone, and takes its authority for its root'
  throw new Refusal('ERR_MESH_WITHOUT_CERT_MANAGER', `no Secret for osm: ${why}`)
}

/** Those that sign by themselves with the key that they are given. */
export type SelfSigning = Exclude<Mesh, 'osm'>

/** Holds the key in plain text. */
export function meshSecret(mesh: SelfSigning, authority: MeshAuthority): object {
  const { namespace, secret: name } = meshPlaces[mesh]
  const { type, data } = layouts[mesh](authority)
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type,
    data: Object.fromEntries(
      Object.entries(data).map(([entry, text]) => [entry, Buffer.from(text).toString('base64')]),
    ),
  }
}

const layouts: Readonly<Record<SelfSigning, (authority: MeshAuthority) => Layout>> = {
  // Istio's "Plug in CA Certificates": the chain goes up to the root.
  istio: ({ key, certificate, root }) => ({
    type: 'Opaque',
    data: {
      'ca-cert.pem': certificate,
      'ca-key.pem': encode(key, 'pkcs8'),
      'root-cert.pem': root,
      'cert-chain.pem': certificate + root,
    },
  }),
  // With identity.issuer.scheme=kubernetes.io/tls. Its reader of keys knows PKCS #8 only of late (linkerd2 pkg/tls/codec.go).
  linkerd: ({ key, certificate, root }) => ({
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': certificate, 'tls.key': encode(key, 'sec1'), 'ca.crt': root },
  }),
}

const encode = (key: KeyObject, type: 'pkcs8' | 'sec1'): string =>
  key.export({ format: 'pem', type }).toString()
