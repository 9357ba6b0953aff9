// What each mesh of archipelago.yaml adds: a folder for each region, the Application that pulls it, and the
// project that holds that to the mesh's namespace. As cloned there is none.
import type { Archipelago } from '../../core/archipelago.ts'
import { regionDomain } from '../../core/identity/names.ts'
import { meshPlaces, type Mesh } from '../../core/identity/mesh.ts'
import { formatAll, formatGenerated } from '../kustomization.ts'
import type { Files } from '../render.ts'
import { meshApplication } from './applications.ts'
import { meshGuards } from './mesh-guards.ts'
import { meshProject } from './projects.ts'

export function renderMeshes(archipelago: Archipelago): Files {
  const { meshes } = archipelago.kubernetes
  const projects = meshes.map((mesh) => meshProject(archipelago, mesh))
  return new Map([
    ['manifests/argocd/projects/generated/meshes.yaml', formatAll(projects)],
    ...archipelago.regions.flatMap(({ name }) => renderRegion(archipelago, name)),
  ])
}

function renderRegion(archipelago: Archipelago, region: string): [path: string, text: string][] {
  const { meshes } = archipelago.kubernetes
  const applications = meshes.map((mesh) => meshApplication(archipelago, { region, mesh }))
  return [
    [`manifests/argocd/root/${region}/generated/meshes.yaml`, formatAll(applications)],
    [
      `manifests/guards/${region}/generated/meshes.yaml`,
      formatAll(meshGuards(archipelago, region)),
    ],
    ...meshes.flatMap((mesh) => renderFolder(archipelago, region, mesh)),
  ]
}

/** Beside the overlays and not in them: whoever rules a region's namespace does not rule the mesh's. */
function renderFolder(
  archipelago: Archipelago,
  region: string,
  mesh: Mesh,
): [path: string, text: string][] {
  const folder = `manifests/meshes/${region}/${mesh}`
  const patch = mesh === 'osm' ? [trustDomainOf(archipelago, region)] : []
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    components: [`../../../components/mesh-${mesh}`],
    ...(patch.length > 0 && { patches: [{ path: 'trust-domain.yaml' }] }),
  }
  return [
    [`${folder}/kustomization.yaml`, formatGenerated(kustomization)],
    ...patch.map((each): [string, string] => [
      `${folder}/trust-domain.yaml`,
      formatGenerated(each),
    ]),
  ]
}

const trustDomainOf = (archipelago: Archipelago, region: string) => ({
  apiVersion: 'config.openservicemesh.io/v1alpha2',
  kind: 'MeshRootCertificate',
  metadata: { name: 'osm-mesh-root-certificate', namespace: meshPlaces.osm.namespace },
  spec: { trustDomain: regionDomain(archipelago, region) },
})
