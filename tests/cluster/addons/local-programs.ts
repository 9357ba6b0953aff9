// Upstream's manifests name images of registries that are out of reach. Their pods run the same
// programs from the peers' folder of this machine instead; all else stays as upstream has it.
import { labImages } from '../lab/lab-images.ts'
import type { KubernetesObject } from './render-chart.ts'

export interface LocalProgram {
  /** A folder of this machine. */
  readonly folder: string
  /** In that folder. */
  readonly program: string
  readonly image?: string
  /** Before the arguments that upstream gives. */
  readonly args?: readonly string[]
}

interface Container {
  readonly name: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly volumeMounts?: readonly object[]
  readonly securityContext?: object
}

interface PodSpec {
  readonly containers: readonly Container[]
  readonly volumes?: readonly object[]
}

interface Workload extends KubernetesObject {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: PodSpec } }
}

const mountPath = '/peers'
const user = 65532

/** By the container's name; a container that is not named stays as it is. */
export function runLocalPrograms(
  objects: readonly KubernetesObject[],
  programs: Readonly<Record<string, LocalProgram>>,
): KubernetesObject[] {
  return objects.map((object) => {
    if (!isWorkload(object)) return object
    const { template } = object.spec
    const pod = template.spec
    const spec = {
      ...pod,
      // Those prepare what the programs' own images lack.
      initContainers: [],
      containers: pod.containers.map((each) => localContainer(each, programs[each.name])),
      volumes: [...(pod.volumes ?? []), ...volumesOf(pod, programs)],
    }
    return { ...object, spec: { ...object.spec, template: { ...template, spec } } }
  })
}

function isWorkload(object: KubernetesObject): object is Workload {
  return object.kind === 'Deployment' || object.kind === 'StatefulSet'
}

function localContainer(container: Container, local: LocalProgram | undefined): object {
  if (local === undefined) return container
  const { program, image = labImages.busybox, args = [] } = local
  const { command: _upstream, ...rest } = container
  return {
    ...rest,
    image,
    imagePullPolicy: 'Never',
    command: [`${mountPath}/${program}`, ...args],
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      { name: `peer-${container.name}`, mountPath, readOnly: true },
    ],
    // The image names no user, and upstream's pods may not run as root.
    securityContext: { ...container.securityContext, runAsUser: user },
  }
}

function volumesOf(pod: PodSpec, programs: Readonly<Record<string, LocalProgram>>): object[] {
  return pod.containers.flatMap(({ name }) => {
    const path = programs[name]?.folder
    return path === undefined
      ? []
      : [{ name: `peer-${name}`, hostPath: { path, type: 'Directory' } }]
  })
}
