// archipelago.yaml → every generated file. Pure: a concern is a file in render/, and a line here.
import type { Archipelago, Region } from '../core/archipelago.ts'
import { formatComponent, joinKustomizations, type Kustomization } from './kustomization.ts'
import { renderArgocd } from './render/argocd.ts'
import { renderCertificates, renderGuards } from './render/certificates.ts'
import { renderClients } from './render/clients.ts'
import { renderFunctions } from './render/functions.ts'
import { renderGateways } from './render/gateways.ts'
import { renderMeshes } from './render/meshes.ts'
import { renderNetworkPolicy } from './render/network-policy.ts'
import { renderServers } from './render/servers.ts'

/** Texts by path: from the repository's root, or from a region's generated/ folder. */
export type Files = ReadonlyMap<string, string>

/** What one concern adds to the component `generated` of a region's overlay. */
export interface RegionPart {
  readonly files: Files
  readonly kustomization: Kustomization
}

type RenderRegion = (archipelago: Archipelago, region: Region) => RegionPart

const perRegion: readonly RenderRegion[] = [
  renderServers,
  renderGateways,
  renderFunctions,
  renderClients,
  renderCertificates,
  renderNetworkPolicy,
]

/** What does not belong to the overlay of one region. */
type RenderWhole = (archipelago: Archipelago) => Files

const whole: readonly RenderWhole[] = [renderGuards, renderArgocd, renderMeshes]

export function renderManifests(archipelago: Archipelago): Files {
  return new Map([
    ...archipelago.regions.flatMap((region) => renderRegion(archipelago, region)),
    ...whole.flatMap((render) => [...render(archipelago)]),
  ])
}

function renderRegion(archipelago: Archipelago, region: Region): [string, string][] {
  const folder = `manifests/overlays/${region.name}/generated`
  const parts = perRegion.map((render) => render(archipelago, region))
  const kustomization = joinKustomizations(parts.map((part) => part.kustomization))
  return [
    [`${folder}/kustomization.yaml`, formatComponent(kustomization)],
    ...parts.flatMap(({ files }) =>
      [...files].map(([name, text]): [string, string] => [`${folder}/${name}`, text]),
    ),
  ]
}
