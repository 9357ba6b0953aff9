// The generated files of manifests/argocd.
import type { Archipelago } from '../../core/archipelago.ts'
import { formatGenerated } from '../kustomization.ts'
import type { Files } from '../render.ts'
import { natsApplication, rootApplication, trustApplication } from './applications.ts'
import { defaultProject, natsProject, rootProject, trustProject } from './projects.ts'

export function renderArgocd(archipelago: Archipelago): Files {
  const { regions } = archipelago
  const objects = [
    ...projects(archipelago),
    ...regions.flatMap(({ name }) => region(archipelago, name)),
  ]
  return new Map(
    objects.map(([path, object]) => [`manifests/argocd/${path}`, formatGenerated(object)]),
  )
}

const projects = (archipelago: Archipelago): [path: string, object][] => [
  ['projects/generated/default.yaml', defaultProject()],
  ['projects/generated/root.yaml', rootProject(archipelago)],
  ['projects/generated/nats.yaml', natsProject(archipelago)],
  ['projects/generated/trust.yaml', trustProject(archipelago)],
]

const region = (archipelago: Archipelago, name: string): [path: string, object][] => [
  [`bootstrap/${name}/generated/namespace.yaml`, namespace(archipelago)],
  [`bootstrap/${name}/generated/root.yaml`, rootApplication(archipelago, name)],
  [`root/${name}/generated/nats.yaml`, natsApplication(archipelago, name)],
  [`root/${name}/generated/trust.yaml`, trustApplication(archipelago, name)],
]

/** Its name alone: it is there before anything is pulled, and everything about it is the overlay's. */
const namespace = ({ kubernetes }: Archipelago) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: kubernetes.namespace },
})
