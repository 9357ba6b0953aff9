// Small objects of Kubernetes for tests.
import { labImages } from './lab/lab-images.ts'

export interface PodPlace {
  readonly node?: string | undefined
  readonly namespace?: string
}

/** A pod of the lab's own shell; its label `app` is its name. */
export function podOf(name: string, command: readonly string[], place: PodPlace = {}) {
  const container = { name: 'main', image: labImages.busybox, imagePullPolicy: 'Never', command }
  const { node, namespace = 'default' } = place
  return {
    ...named('v1', 'Pod', name),
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [container],
    },
  }
}

/** Answers its own name at /hostname. */
export function webPodOf(name: string, place: PodPlace = {}) {
  return podOf(name, ['httpd', '-f', '-p', '8080', '-h', '/etc'], place)
}

/** The pods of that label, on port 8080; on the nodes', too, where one is said. */
export function serviceOf(app: string, nodePort?: number) {
  const open = nodePort === undefined ? {} : { type: 'NodePort' }
  const port = { port: 8080, ...(nodePort !== undefined && { nodePort }) }
  return { ...named('v1', 'Service', app), spec: { ...open, selector: { app }, ports: [port] } }
}

export function named(apiVersion: string, kind: string, name: string) {
  return { apiVersion, kind, metadata: { name } }
}
