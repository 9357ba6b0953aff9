// Argo CD's core: the parts that sync, as upstream's core-install.yaml of the same release has them.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findTool } from '../../../laptop/tools.ts'
import type { Cluster } from '../lab/cluster.ts'
import { labImages, makeDebianImage } from '../lab/lab-images.ts'
import type { Toolbox } from '../lab/toolbox.ts'
import { awaitRollouts, installObjects } from './install.ts'
import { runLocalPrograms } from './local-programs.ts'
import { parseObjects, type KubernetesObject } from './render-chart.ts'

const namespace = 'argocd'

/** Nobody makes Applications from a list here, and nobody but Argo CD is asked about policies. */
const leftOut = /applicationset/

export interface ArgoOptions {
  /** More of the ConfigMap argocd-cm: health checks and the like. */
  readonly configuration?: Readonly<Record<string, string>>
  /** Repositories with an authority of their own: its PEM, by their host. */
  readonly authorities?: Readonly<Record<string, string>>
  readonly report: (line: string) => void
}

/** The namespace is `argocd`; returns when all parts are ready. */
export async function installArgoCd(
  cluster: Cluster,
  toolbox: Toolbox,
  { configuration = {}, authorities = {}, report }: ArgoOptions,
): Promise<void> {
  await cluster.importImage(await makeDebianImage(toolbox))
  const programs = await argoPrograms(toolbox, report)
  const upstream = await readUpstream(toolbox)
  const objects = runLocalPrograms(upstream, programs).map((each) =>
    withData(each, {
      'argocd-cm': { ...looksOften, ...configuration },
      'argocd-tls-certs-cm': authorities,
    }),
  )
  await installObjects(cluster, namespace, [...objects, redisPassword()])
  await awaitRollouts(cluster, namespace, objects)
}

async function readUpstream(toolbox: Toolbox): Promise<KubernetesObject[]> {
  const file = join(await toolbox.peer('argocd'), 'core-install.yaml')
  const objects = parseObjects(readFileSync(file, 'utf8'))
  return objects.filter(
    ({ kind, metadata }) => kind === 'CustomResourceDefinition' || !leftOut.test(metadata.name),
  )
}

async function argoPrograms(toolbox: Toolbox, report: (line: string) => void) {
  const argo = join(await toolbox.peer('argocd'), 'bin')
  const kustomize = dirname(await findTool('kustomize', { report }))
  const folders = { '/argocd': argo, '/kustomize': kustomize }
  const local = (name: string) => ({
    command: [`/argocd/${name}`],
    args: [],
    folders,
    image: labImages.debian,
    env: {
      PATH: '/argocd:/kustomize:/usr/bin:/bin',
      HOME: '/tmp',
      // gpg is not among the lab's programs.
      ARGOCD_GPG_ENABLED: 'false',
    },
  })
  return {
    'argocd-application-controller': local('argocd-application-controller'),
    'argocd-repo-server': local('argocd-repo-server'),
    redis: { command: ['/usr/bin/redis-server'], image: labImages.debian },
  }
}

/** No webhook tells of a push. */
const looksOften = { 'timeout.reconciliation': '15s', 'timeout.reconciliation.jitter': '0s' }

/** More data in the ConfigMaps of these names. */
function withData(
  object: KubernetesObject,
  more: Readonly<Record<string, Readonly<Record<string, string>>>>,
): KubernetesObject {
  const added = object.kind === 'ConfigMap' ? more[object.metadata.name] : undefined
  if (added === undefined) return object
  return { ...object, data: { ...(object['data'] as object), ...added } }
}

/** Upstream's pod makes it before it begins. */
function redisPassword(): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'argocd-redis' },
    stringData: { auth: randomBytes(16).toString('hex') },
  }
}
