/** A Kubernetes object as kustomize prints it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

/** `StatefulSet nats/ams3`, or `Namespace nats` for what lies in no namespace. */
export function describeManifest({ kind, metadata }: Manifest): string {
  const { namespace, name } = metadata
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}
