// The profile `restricted` of the Pod Security Standards, before an API server says so, and beyond it what
// this project asks of every container.
import type { V1Container, V1PodSpec, V1Volume } from '@kubernetes/client-node'
import type { Manifest } from '../manifest.ts'
import { containersOf, podsOf, type PodTemplate } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

export const restrictedPods: ManifestRule = {
  name: 'pods are restricted',
  scope: 'overlays',
  find: ({ manifests }) => {
    const mayHostPort = isLowered(manifests)
    return podsOf(manifests).flatMap((pod) => [
      ...podFaults(pod.spec).map((fault) => `${pod.owner}: ${fault}`),
      ...containersOf(pod).flatMap((container) =>
        containerFaults(container, pod, mayHostPort).map(
          (fault) => `${pod.owner}: ${container.name}: ${fault}`,
        ),
      ),
    ])
  },
}

/** Only the component gateway-host-port lowers what the namespace enforces, and says what it lowers. */
const isLowered = (manifests: readonly Manifest[]) =>
  manifests
    .filter(({ kind }) => kind === 'Namespace')
    .some(({ metadata }) => metadata.labels?.[enforced] === 'privileged')

const enforced = 'pod-security.kubernetes.io/enforce'

function podFaults(spec: V1PodSpec): string[] {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((key) => spec[key])
  const volumes = (spec.volumes ?? []).filter((volume) => !isHarmless(volume))
  const { runAsNonRoot, runAsUser, seccompProfile, sysctls } = spec.securityContext ?? {}
  return [
    ...shared.map((key) => `shares with its node: ${key}`),
    ...volumes.map(({ name }) => `volume of a forbidden kind: ${name}`),
    ...when(runAsNonRoot !== true, 'runAsNonRoot is not true'),
    ...when(runAsUser === undefined || runAsUser === 0, 'runAsUser names no other user than root'),
    ...when(seccompProfile?.type !== 'RuntimeDefault', 'seccompProfile is not RuntimeDefault'),
    ...when(sysctls !== undefined, 'sets sysctls'),
    ...when(spec.automountServiceAccountToken === undefined, 'leaves open whether it has a token'),
  ]
}

const harmless = ['configMap', 'emptyDir', 'persistentVolumeClaim', 'projected', 'secret']

const isHarmless = (volume: V1Volume) =>
  Object.keys(volume).every((key) => key === 'name' || harmless.includes(key))

function containerFaults(
  container: V1Container,
  { spec }: PodTemplate,
  mayHostPort: boolean,
): string[] {
  const own = container.securityContext ?? {}
  const { add = [], drop = [] } = own.capabilities ?? {}
  const hostPorts = (container.ports ?? []).filter(({ hostPort }) => hostPort !== undefined)
  return [
    ...when(own.privileged === true, 'is privileged'),
    ...when(own.allowPrivilegeEscalation !== false, 'allowPrivilegeEscalation is not false'),
    ...when(own.readOnlyRootFilesystem !== true, 'readOnlyRootFilesystem is not true'),
    ...when(!drop.includes('ALL'), 'does not drop all capabilities'),
    ...when(add.length > 0, `adds capabilities: ${add.join(', ')}`),
    ...when(own.runAsNonRoot === false, 'runAsNonRoot is false'),
    ...when(own.runAsUser === 0, 'runs as root'),
    ...when(own.seccompProfile?.type === 'Unconfined', 'has no seccomp profile'),
    ...when(own.procMount !== undefined && own.procMount !== 'Default', 'sees the whole of /proc'),
    ...when(hostPorts.length > 0 && !mayHostPort, 'takes a port of its node'),
    ...when(spec.hostUsers === true, 'shares the users of its node'),
  ]
}

const when = (holds: boolean, fault: string) => (holds ? [fault] : [])
