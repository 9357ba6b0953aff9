// As cloned no mesh is there: a clone with each of them is rendered, built in every region and looked at.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Archipelago } from '../../core/archipelago.ts'
import { meshPlaces, meshes } from '../../core/identity/mesh.ts'
import { compareGenerated, writeGenerated } from '../../gitops/generated-files.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import { describeManifest, type Manifest } from '../../gitops/manifest.ts'
import { admits, type AppProject } from '../../gitops/project.ts'
import { renderManifests } from '../../gitops/render.ts'
import { validateManifests } from '../../gitops/validate.ts'
import { readArchipelago } from '../../store/archipelago.ts'

const root = join(import.meta.dirname, '../..')
const asCloned = readArchipelago(join(root, 'archipelago.yaml'))
const archipelago: Archipelago = {
  ...asCloned,
  kubernetes: { ...asCloned.kubernetes, meshes },
}
const regions = archipelago.regions.map(({ name }) => name)
const clone = mkdtempSync(join(tmpdir(), 'archipelago-meshes-'))
cpSync(join(root, 'manifests'), join(clone, 'manifests'), { recursive: true })
const rendered = renderManifests(archipelago)
writeGenerated(clone, rendered, compareGenerated(clone, rendered))
const build = (path: string) => buildKustomization(join(clone, 'manifests', path))
const projects = (await build('argocd/projects')) as AppProject[]
const projectOf = (name: string) =>
  projects.find(({ metadata }) => metadata.name === name) as AppProject
test.after.always(() => rmSync(clone, { recursive: true, force: true }))

test('a clone with every mesh passes every gate, in every region', async (t) => {
  const gates = await validateManifests(clone, archipelago)
  t.deepEqual(
    gates.flatMap(({ faults }) => faults),
    [],
  )
  const schema = gates.find(({ name }) => name.startsWith('schema'))
  // Of kinds that come with a mesh nothing is known here, and it says so.
  t.regex(schema?.note ?? '', /left to a server: .*MeshRootCertificate \(config\.openservicemesh/)
})

for (const mesh of meshes) {
  const { namespace, secret } = meshPlaces[mesh]

  test(`${mesh}: its project admits what its Application holds in every region, and no kind more`, async (t) => {
    const project = projectOf(`mesh-${mesh}`)
    const all = await Promise.all(regions.map((region) => build(`meshes/${region}/${mesh}`)))
    for (const objects of all) {
      t.deepEqual(objects.filter((object) => !admits(project, object)).map(describeManifest), [])
      const [kinds, admitted] = [
        objects.map(({ kind }) => kind),
        project.spec.namespaceResourceWhitelist?.map(({ kind }) => kind) ?? [],
      ]
      t.deepEqual(admitted.toSorted(), [...new Set(kinds)].toSorted())
    }
    for (const [kind, apiVersion] of others)
      t.false(admits(project, object(apiVersion, kind, namespace)), kind)
    t.false(admits(project, object('cert-manager.io/v1', 'Certificate', 'nats')))
    t.false(admits(projectOf('nats'), object('cert-manager.io/v1', 'Certificate', namespace)))
  })

  test(`${mesh}: cert-manager makes the key where the mesh reads it, and the operator signs`, async (t) => {
    const [certificate] = (await build(`meshes/ams3/${mesh}`)).filter(
      ({ kind }) => kind === 'Certificate',
    ) as (Manifest & { readonly spec: Record<string, unknown> })[]
    // Every release of Linkerd reads "EC PRIVATE KEY".
    const encoding = mesh === 'linkerd' ? 'PKCS1' : 'PKCS8'
    t.is(certificate?.metadata.namespace, namespace)
    t.like(certificate?.spec, {
      secretName: secret,
      isCA: true,
      commonName: mesh,
      privateKey: { algorithm: 'ECDSA', size: 256, encoding, rotationPolicy: 'Always' },
      issuerRef: { group: 'archipelago.example', kind: 'OfflineSigner', name: mesh },
    })
  })
}

test('an Application for each mesh comes with the root, within its project', async (t) => {
  for (const region of regions) {
    const applications = (await build(`argocd/root/${region}`)) as (Manifest & {
      readonly spec: {
        readonly project: string
        readonly source: { readonly path: string }
        readonly destination: object
      }
    })[]
    for (const mesh of meshes) {
      const { spec } = applications.find(
        ({ metadata }) => metadata.name === `mesh-${mesh}`,
      ) as (typeof applications)[number]
      t.is(spec.source.path, `manifests/meshes/${region}/${mesh}`)
      t.deepEqual<unknown, unknown>(projectOf(spec.project).spec.destinations, [spec.destination])
    }
  }
})

test('answer-authority gets no right in a mesh’s namespace but on requests, from guards alone', async (t) => {
  const guards = await build('guards/ams3')
  const roles = guards.filter(
    ({ kind, metadata }) => kind === 'Role' && metadata.name === 'archipelago-answer-authority',
  ) as (Manifest & { readonly rules: readonly { readonly resources: readonly string[] }[] })[]
  t.deepEqual(
    new Set(roles.map(({ metadata }) => metadata.namespace)),
    new Set(meshes.map((mesh) => meshPlaces[mesh].namespace)),
  )
  for (const { rules } of roles)
    t.deepEqual(
      rules.flatMap(({ resources }) => resources),
      ['certificaterequests', 'certificaterequests/status'],
    )
  const admitted = guards.filter((guard) => projects.some((project) => admits(project, guard)))
  t.deepEqual(admitted.map(describeManifest), [])
})

/** What somebody who may push would wish for in a mesh's namespace. */
const others = [
  ['Secret', 'v1'],
  ['ConfigMap', 'v1'],
  ['Deployment', 'apps/v1'],
  ['Job', 'batch/v1'],
  ['Role', 'rbac.authorization.k8s.io/v1'],
  ['RoleBinding', 'rbac.authorization.k8s.io/v1'],
  ['CertificateRequest', 'cert-manager.io/v1'],
] as const

const object = (apiVersion: string, kind: string, namespace: string): Manifest => ({
  apiVersion,
  kind,
  metadata: { name: 'a', namespace },
})
