// What the region's home and its functions are, as they are built.
import { fileURLToPath } from 'node:url'
import type { V1Deployment, V1Job, V1PodSpec, V1Role } from '@kubernetes/client-node'
import test from 'ava'
import { buildKustomization } from '../../gitops/kustomize.ts'
import type { Manifest } from '../../gitops/manifest.ts'
import { renderManifests } from '../../gitops/render.ts'
import { regionSecretNames } from '../../store/region-secrets.ts'
import { archipelago } from '../core/trust/example.ts'

const build = (path: string) =>
  buildKustomization(fileURLToPath(new URL(`../../manifests/${path}`, import.meta.url)))
const manifests = [...(await build('guards/ams3')), ...(await build('overlays/ams3'))]
const find = (kind: string, name: string): unknown =>
  manifests.find((each) => each.kind === kind && each.metadata.name === name)
const doors = ['lobby', 'invite', 'identity']

const podOf = (door: string): V1PodSpec => {
  const spec = (find('Deployment', `function-${door}`) as V1Deployment).spec?.template.spec
  if (spec === undefined) throw new RangeError(`no function ${door}`)
  return spec
}

const secretsOf = (spec: V1PodSpec) =>
  (spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []).toSorted()

for (const door of doors)
  test(`the function of ${door} has its own keys and no other's`, (t) => {
    const spec = podOf(door)
    t.deepEqual(
      secretsOf(spec),
      [
        `function-${door}`,
        'leafnode',
        `public-function-${door}`,
        'svid-leafnode',
        `svid-function-${door}`,
      ].toSorted(),
    )
    t.is(spec.serviceAccountName, `function-${door}`)
    t.false(spec.automountServiceAccountToken)
    const users = (spec.volumes ?? []).find(({ name }) => name === 'leafnode-users')
    t.deepEqual(users?.configMap?.items, [{ key: `leafnode-${door}.conf`, path: 'users.conf' }])
  })

test('of the containers of a pod only the renewer mounts the key that signs for the leafnode, and only the function its own', (t) => {
  for (const door of doors)
    for (const { name, volumeMounts = [] } of podOf(door).containers) {
      const mounted = volumeMounts.map((mount) => mount.name)
      t.is(mounted.includes('leafnode-keys'), name === 'renew-leafnode', `${door}: ${name}`)
      t.is(mounted.includes('keys'), name === 'function', `${door}: ${name}`)
    }
})

test('the leafnode server listens to its own pod alone', (t) => {
  const files = renderManifests(archipelago)
  const text = files.get('manifests/overlays/ams3/generated/leafnode.conf') ?? ''
  t.regex(text, /^listen: "127\.0\.0\.1:4222"$/m)
  t.regex(text, /^include "\.\.\/users\/users\.conf"$/m)
  t.notRegex(text, /accounts|server_name/)
})

test('no environment comes from a Secret', (t) => {
  const pods = manifests.flatMap((each) => {
    const { spec } = each as unknown as V1Deployment | V1Job
    return spec?.template?.spec ?? []
  })
  const containers = pods.flatMap((pod) => [...pod.containers, ...(pod.initContainers ?? [])])
  t.true(containers.length > 10)
  for (const { name, env = [], envFrom = [] } of containers) {
    t.false(
      env.some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined),
      name,
    )
    t.deepEqual(envFrom, [], name)
  }
})

test('whoever makes the keys may read and add to those Secrets alone', (t) => {
  const { rules = [] } = find('Role', 'region-keys') as V1Role
  const secrets = rules.filter(({ resources }) => resources?.includes('secrets'))
  const [named, unnamed, ...more] = secrets
  t.deepEqual(more, [])
  for (const name of regionSecretNames(archipelago)) t.true(named?.resourceNames?.includes(name))
  t.deepEqual(named?.verbs, ['get', 'update'])
  t.deepEqual(unnamed?.verbs, ['create'])
})

test('whoever answers for the authorities reads no Secret', (t) => {
  const { rules = [] } = find('Role', 'answer-authority') as V1Role
  t.false(rules.some(({ resources }) => resources?.includes('secrets')))
  const { rules: wide = [] } = find('ClusterRole', 'archipelago-answer-authority') as V1Role
  t.deepEqual(
    wide.map(({ resources, verbs }) => [resources, verbs]),
    [[['signers'], ['approve']]],
  )
})

test('what jobs of a sync need is there before them', (t) => {
  const waveOf = ({ metadata }: Manifest) =>
    Number(metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0)
  const jobs = manifests.filter(({ kind, metadata }) => {
    const hook = metadata.annotations?.['argocd.argoproj.io/hook']
    return kind === 'Job' && hook === 'Sync'
  })
  t.is(jobs.length, 2)
  for (const job of jobs) {
    const { spec } = job as unknown as V1Job
    const pod = spec?.template.spec
    const needed = manifests.filter(
      ({ kind, metadata: { name } }) =>
        (kind === 'ConfigMap' &&
          (pod?.volumes ?? []).some((each) => each.configMap?.name === name)) ||
        (/^(ServiceAccount|Role|RoleBinding)$/.test(kind) && name === pod?.serviceAccountName),
    )
    t.is(needed.length, 4)
    for (const each of needed) t.true(waveOf(each) < waveOf(job), each.metadata.name)
  }
})

test('a door that no role has is taken out, with all that belongs to it', (t) => {
  const roles = archipelago.roles.filter(({ doors: own }) => !own.includes('invite'))
  const files = renderManifests({ ...archipelago, roles })
  const text = files.get('manifests/overlays/ams3/generated/functions/invite.yaml') ?? ''
  t.is(text.match(/\$patch: delete/g)?.length, 4)
  t.notRegex(files.get('manifests/overlays/ams3/generated/functions/lobby.yaml') ?? '', /\$patch/)
})
