import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { Archipelago } from '../../core/archipelago.ts'
import { buildKustomization } from '../../gitops/kustomize.ts'
import { describeManifest, type Manifest } from '../../gitops/manifest.ts'
import { admits, type AppProject } from '../../gitops/project.ts'
import { renderManifests } from '../../gitops/render.ts'
import { readArchipelago } from '../../store/archipelago.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const archipelago = readArchipelago(`${root}archipelago.yaml`)
const regions = archipelago.regions.map(({ name }) => name)
const build = (path: string) => buildKustomization(`${root}manifests/${path}`)

interface Application extends Manifest {
  readonly spec: {
    readonly project: string
    readonly source: { repoURL: string; targetRevision: string; path: string }
    readonly destination: { server: string; namespace: string }
    readonly syncPolicy: {
      readonly automated: object
      readonly retry: { readonly limit: number }
    }
  }
}

const projects = new Map(
  (await build('argocd/projects')).map((one) => [one.metadata.name, one as AppProject]),
)
const projectOf = (name: string) => projects.get(name) ?? t404(name)
const t404 = (name: string): never => {
  throw new Error(`no AppProject ${name}`)
}

for (const region of regions) {
  test(`${region}: bootstrap brings its namespace, the walls, the health and one root`, async (t) => {
    const brought = (await build(`argocd/bootstrap/${region}`)).map(describeManifest)
    const guards = (await build(`guards/${region}`)).map(describeManifest)
    t.deepEqual(brought.filter((one) => !guards.includes(one)).toSorted(), [
      'AppProject argocd/default',
      'AppProject argocd/nats',
      'AppProject argocd/root',
      'AppProject argocd/trust',
      'Application argocd/root',
      'ConfigMap argocd/argocd-cm',
      'Namespace nats',
    ])
    t.deepEqual(
      guards.filter((one) => !brought.includes(one)),
      [],
    )
  })

  test(`${region}: what guards the region is in no Application, so that no commit takes it down`, async (t) => {
    const guards = await build(`guards/${region}`)
    t.true(guards.some(({ kind }) => kind === 'ValidatingAdmissionPolicy'))
    const admitting = guards.filter((guard) =>
      [...projects.values()].some((project) => admits(project, guard)),
    )
    t.deepEqual(admitting.map(describeManifest), [])
  })

  test(`${region}: each Application is within its project, with its one repository and place`, async (t) => {
    for (const application of await applicationsOf(region)) {
      const { project, source, destination } = application.spec
      const { sourceRepos, destinations } = projectOf(project).spec
      t.deepEqual(sourceRepos, [source.repoURL])
      t.deepEqual(destinations, [destination])
      t.is(source.repoURL, archipelago.gitops.repository)
      t.is(source.targetRevision, archipelago.gitops.branch)
      t.regex(source.path, new RegExp(`/${region}$`))
      t.deepEqual(application.spec.syncPolicy.automated, {
        prune: true,
        selfHeal: true,
        allowEmpty: false,
      })
      t.is(application.spec.syncPolicy.retry.limit, 5)
    }
  })

  test(`${region}: the projects admit what their Applications hold`, async (t) => {
    for (const { spec } of await applicationsOf(region)) {
      const folder = spec.source.path.replace(/^manifests\//, '')
      const refused = (await build(folder)).filter(
        (object) => !admits(projectOf(spec.project), placed(object, spec.destination.namespace)),
      )
      t.deepEqual(refused.map(describeManifest), [], folder)
    }
  })

  test(`${region}: what must not go by mistake is kept from being pruned`, async (t) => {
    const kept = (await build(`overlays/${region}`)).filter(({ kind }) =>
      ['Namespace', 'StatefulSet', 'PersistentVolumeClaim'].includes(kind),
    )
    t.not(kept.length, 0)
    const loose = kept.filter(
      ({ metadata }) =>
        !/\bPrune=(confirm|false)\b/.test(
          metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? '',
        ),
    )
    t.deepEqual(loose.map(describeManifest), [])
  })
}

test('a sync waits for a region to be adopted, however long that takes', async (t) => {
  const deployments = (await build('overlays/ams3')).filter(
    (one) => one.kind === 'Deployment' && one.metadata.name.startsWith('function-'),
  ) as (Manifest & { spec: { progressDeadlineSeconds?: number } })[]
  t.not(deployments.length, 0)
  // Which Kubernetes takes for no deadline at all.
  const none = 2 ** 31 - 1
  for (const { spec } of deployments) t.is(spec.progressDeadlineSeconds, none)
})

test('the projects admit no kind that no Application needs', async (t) => {
  for (const [name, path] of [
    ['nats', 'overlays'],
    ['trust', 'trust'],
    ['root', 'argocd/root'],
  ] as const) {
    const { spec } = projectOf(name)
    const objects = await build(`${path}/ams3`)
    const rules = [
      ...(spec.namespaceResourceWhitelist ?? []),
      ...(spec.clusterResourceWhitelist ?? []),
    ]
    t.deepEqual(
      rules.filter(({ kind }) => !objects.some((one) => one.kind === kind)),
      [],
      name,
    )
  }
})

for (const { title, project, object } of attacks()) {
  test(`no project admits ${title}`, (t) => {
    const admitting = [...projects.values()].filter((one) => admits(one, object))
    t.deepEqual(
      admitting.map(({ metadata }) => metadata.name).filter((name) => name !== project),
      [],
    )
  })
}

test('the project of every installation, which admits all, is closed', (t) => {
  const { spec } = projectOf('default')
  t.deepEqual([spec.sourceRepos, spec.destinations], [[], []])
  t.false(admits(projectOf('default'), object('v1', 'ConfigMap', 'nats', 'a')))
})

test('a region joins by its own folder alone: each has the same files', (t) => {
  for (const folder of ['bootstrap', 'root']) {
    const files = (region: string) =>
      readdirSync(`${root}manifests/argocd/${folder}/${region}`, { recursive: true })
        .map(String)
        .toSorted()
    for (const region of regions) t.deepEqual(files(region), files('ams3'))
    t.deepEqual(readdirSync(`${root}manifests/argocd/${folder}`).toSorted(), regions.toSorted())
  }
})

test('signed commits are asked for once a key is named, of every project with a repository', (t) => {
  const signer = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01'
  const texts = (gitops: Archipelago['gitops']) =>
    [...renderManifests({ ...archipelago, gitops })].filter(([path]) => path.includes('/projects/'))
  const signed = texts({ ...archipelago.gitops, signers: [signer] })
  const asking = signed.filter(([, text]) => text.includes('mode: strict') && text.includes(signer))
  t.deepEqual(asking.map(([path]) => path.replace(/.*\//, '')).toSorted(), [
    'nats.yaml',
    'root.yaml',
    'trust.yaml',
  ])
  t.false(texts(archipelago.gitops).some(([, text]) => text.includes('sourceIntegrity')))
})

test('the health of an Application is in the settings as it is in its file', async (t) => {
  const settings = (await build('argocd/health'))[0] as Manifest & { data: Record<string, string> }
  const lua = readFileSync(`${root}manifests/argocd/health/application.lua`, 'utf8')
  t.deepEqual(settings.data, { 'resource.customizations.health.argoproj.io_Application': lua })
})

async function applicationsOf(region: string): Promise<Application[]> {
  const bootstrap = await build(`argocd/bootstrap/${region}`)
  const roots = bootstrap.filter(({ kind }) => kind === 'Application')
  return [...roots, ...(await build(`argocd/root/${region}`))] as Application[]
}

/** As Argo CD does with an object that names no namespace. */
const placed = (object: Manifest, namespace: string): Manifest => ({
  ...object,
  metadata: { namespace, ...object.metadata },
})

/** What somebody who may push, and nothing else, would wish for. `project`: the one that has to. */
function attacks(): { title: string; project?: string; object: Manifest }[] {
  const rbac = 'rbac.authorization.k8s.io/v1'
  return [
    { title: 'a role over the cluster', object: object(rbac, 'ClusterRole', '', 'a') },
    {
      title: 'more rights for a role over the cluster that is there',
      object: object(rbac, 'ClusterRole', '', 'archipelago-answer-authority'),
    },
    { title: 'to give one away', object: object(rbac, 'ClusterRoleBinding', '', 'a') },
    {
      title: 'wider walls',
      object: object('argoproj.io/v1alpha1', 'AppProject', 'argocd', 'nats'),
    },
    { title: 'other settings', object: object('v1', 'ConfigMap', 'argocd', 'argocd-cm') },
    { title: 'a repository or cluster', object: object('v1', 'Secret', 'argocd', 'cluster') },
    { title: 'a secret', object: object('v1', 'Secret', 'nats', 'function-lobby') },
    { title: 'a pod elsewhere', object: object('apps/v1', 'Deployment', 'kube-system', 'a') },
    { title: 'a bare pod', object: object('v1', 'Pod', 'nats', 'a') },
    { title: 'another namespace', object: object('v1', 'Namespace', '', 'other') },
    {
      title: 'a kind of its own',
      object: object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', '', 'a'),
    },
    {
      title: 'an issuer for the cluster',
      object: object('cert-manager.io/v1', 'ClusterIssuer', '', 'a'),
    },
    {
      title: 'a request in cert-manager’s name',
      object: object('cert-manager.io/v1', 'CertificateRequest', 'nats', 'a'),
    },
    {
      title: 'a webhook',
      object: object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', '', 'a'),
    },
    { title: 'a volume of the node', object: object('v1', 'PersistentVolume', '', 'a') },
    {
      title: 'Applications, but for the root',
      project: 'root',
      object: object('argoproj.io/v1alpha1', 'Application', 'argocd', 'a'),
    },
  ]
}

function object(apiVersion: string, kind: string, namespace: string, name: string): Manifest {
  return { apiVersion, kind, metadata: namespace === '' ? { name } : { name, namespace } }
}
