// Upstream's manifests name images of registries that are out of reach. Their pods run the same
// programs from this machine's folders instead; all else stays as upstream has it.
import { labImages } from '../lab/lab-images.ts'
import type { KubernetesObject } from './render-chart.ts'

export interface LocalProgram {
  readonly command: readonly string[]
  /** Path in the pod → folder of this machine, to be read only. */
  readonly folders?: Readonly<Record<string, string>>
  /** Of the lab's; a shell and little else unless it is said. */
  readonly image?: string
  /** In the place of those that upstream gives. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

interface Container {
  readonly name: string
  readonly env?: readonly object[]
  readonly volumeMounts?: readonly object[]
  readonly securityContext?: object
  readonly readinessProbe?: object
}

interface PodSpec {
  readonly containers: readonly Container[]
  readonly volumes?: readonly object[]
}

interface Workload extends KubernetesObject {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: PodSpec } }
}

type Programs = Readonly<Record<string, LocalProgram>>

// The lab's images name no user, and upstream's pods may not run as root.
const user = 65532

/** By the container's name; a container that is not named stays as it is. */
export function runLocalPrograms(
  objects: readonly KubernetesObject[],
  programs: Programs,
): KubernetesObject[] {
  return objects.map((object) => {
    if (!isWorkload(object)) return object
    const { template } = object.spec
    const pod = template.spec
    const spec = {
      ...pod,
      // Those prepare what the programs' own images hold.
      initContainers: [],
      containers: pod.containers.map((each) => localContainer(each, programs[each.name])),
      volumes: [
        ...(pod.volumes ?? []),
        ...pod.containers.flatMap((each) => volumes(each, programs)),
      ],
    }
    return { ...object, spec: { ...object.spec, template: { ...template, spec } } }
  })
}

function isWorkload(object: KubernetesObject): object is Workload {
  return object.kind === 'Deployment' || object.kind === 'StatefulSet'
}

function localContainer(container: Container, local: LocalProgram | undefined): object {
  if (local === undefined) return container
  const { command, args, image = labImages.busybox, folders = {}, env = {} } = local
  const mounts = Object.keys(folders).map((mountPath, index) => ({
    name: volumeName(container, index),
    mountPath,
    readOnly: true,
  }))
  return {
    ...container,
    image,
    imagePullPolicy: 'Never',
    command,
    ...(args && { args }),
    env: [
      ...(container.env ?? []),
      ...Object.entries(env).map(([name, value]) => ({ name, value })),
    ],
    volumeMounts: [...(container.volumeMounts ?? []), ...mounts],
    securityContext: { ...container.securityContext, runAsUser: user },
    ...(container.readinessProbe && {
      readinessProbe: { ...container.readinessProbe, initialDelaySeconds: 1, periodSeconds: 1 },
    }),
  }
}

function volumes(container: Container, programs: Programs): object[] {
  const folders = Object.values(programs[container.name]?.folders ?? {})
  return folders.map((path, index) => ({
    name: volumeName(container, index),
    hostPath: { path, type: 'Directory' },
  }))
}

const volumeName = ({ name }: Container, index: number): string => `local-${index}-${name}`
