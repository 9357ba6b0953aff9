import test from 'ava'
import type { Manifest } from '../../gitops/manifest.ts'
import { allows, networkPolicies } from '../../gitops/network-policy.ts'
import { portsAreCovered } from '../../gitops/rules/network-policies.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import {
  archipelago,
  buildOverlay,
  forbidden,
  needed,
  toFlow,
  withNodes,
  type NamedFlow,
} from './flows.ts'

test('the policies of a region open every flow that is needed, and no other', async (t) => {
  const policies = networkPolicies(await buildOverlay(withNodes(), temporaryFolder(t)))
  t.deepEqual(
    needed.filter((flow) => !allows(policies, toFlow(flow))),
    [],
  )
  t.deepEqual(
    forbidden.filter((flow) => allows(policies, toFlow(flow))),
    [],
  )
})

test('each policy is needed: without it a flow is closed, or one opens that must not', async (t) => {
  const policies = networkPolicies(await buildOverlay(withNodes(), temporaryFolder(t)))
  for (const policy of policies) {
    const others = policies.filter((one) => one !== policy)
    const wrong = [
      ...needed.filter((flow) => !allows(others, toFlow(flow))),
      ...forbidden.filter((flow) => allows(others, toFlow(flow))),
    ]
    t.not(wrong.length, 0, policy.metadata?.name ?? '')
  }
})

test('where addresses are not known, the certificates of gateways decide alone', async (t) => {
  const closed: NamedFlow[] = [
    ['person', 'server', 7522],
    ['elsewhere', 'server', 7522],
  ]
  const unknown = networkPolicies(await buildOverlay(archipelago, temporaryFolder(t)))
  for (const flow of closed) t.true(allows(unknown, toFlow(flow)))
  t.false(allows(unknown, toFlow(['server', 'person', 443])))
  // From where a region dials whose gateways are behind a load balancer, nobody knows.
  const balanced = networkPolicies(
    await buildOverlay(withNodes('load-balancer'), temporaryFolder(t)),
  )
  t.true(allows(balanced, toFlow(['person', 'server', 7522])))
  t.true(allows(balanced, toFlow(['server', 'peerNode', 7522])))
  t.false(allows(balanced, toFlow(['server', 'person', 7522])))
})

test('a port or a pod that was forgotten is told', async (t) => {
  const manifests = await buildOverlay(withNodes(), temporaryFolder(t))
  const find = (changed: readonly Manifest[]) =>
    portsAreCovered.find({ folder: '', archipelago, manifests: changed })
  t.deepEqual(find(manifests), [])
  const without = (name: string) => manifests.filter(({ metadata }) => metadata.name !== name)
  t.deepEqual(find(without('nats-gateways')), [
    'StatefulSet nats/ams3: no policy speaks of its port 7522 (gateway)',
  ])
  const none = find(manifests.filter(({ kind }) => kind !== 'NetworkPolicy'))
  t.true(none.includes('StatefulSet nats/ams3: no policy for ingress'))
  t.true(none.includes('StatefulSet nats/ams3: no policy for egress'))
})

test('every policy is there before the pods that it closes', async (t) => {
  const manifests = await buildOverlay(archipelago, temporaryFolder(t))
  const wave = ({ metadata }: Manifest) =>
    Number(metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0)
  const last = Math.max(...manifests.filter(({ kind }) => kind === 'NetworkPolicy').map(wave))
  const pods = manifests.filter(({ kind }) => /^(StatefulSet|Deployment|Job)$/.test(kind))
  t.not(pods.length, 0)
  t.deepEqual(
    pods.filter((one) => wave(one) <= last).map(({ metadata }) => metadata.name),
    [],
  )
})
