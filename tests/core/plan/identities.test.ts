import test from 'ava'
import type { Archipelago } from '../../../core/archipelago.ts'
import { withIssuerKeys } from '../../../core/archipelago/issuer-keys.ts'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { planIdentities } from '../../../core/plan/identities.ts'
import { keyFiles, sfo2Cluster, withTokens } from '../access/token-example.ts'
import { file, good } from '../archipelago/example.ts'

const archipelagoOf = (text: string, files = keyFiles): Archipelago =>
  withIssuerKeys(parseArchipelago(text, file), (path) => files[path])

const yaml = withTokens(good)
const before = archipelagoOf(yaml)
const planned = (text: string, files = keyFiles) =>
  planIdentities(before, archipelagoOf(text, files)).map(
    ({ effect, subjects, reason }) => `${effect} ${subjects.join()}: ${reason}`,
  )

test('without an edit there is nothing to say', (t) => {
  t.deepEqual(planned(yaml), [])
})

for (const [what, passage, by, lines] of [
  [
    'a subject that comes and one that goes',
    "subject: 'repo:shop/site:ref:refs/heads/main'",
    "subject: 'repo:shop/site:ref:refs/heads/next'",
    [
      'next-renewal role builder: gives no next credential to builds|repo:shop/site:ref:refs/heads/main',
      'next-renewal role builder: is given to builds|repo:shop/site:ref:refs/heads/next',
    ],
  ],
  [
    'an audience that is fixed',
    "subject: 'repo:shop/site:ref:refs/heads/main'",
    "subject: 'repo:shop/site:ref:refs/heads/main', audience: archipelago",
    [
      'next-renewal role builder: gives no next credential to builds|repo:shop/site:ref:refs/heads/main',
      'next-renewal role builder: is given to builds|repo:shop/site:ref:refs/heads/main, also by any token for archipelago',
    ],
  ],
  [
    'an issuer that is believed in more regions',
    'regions: [sfo2]',
    'regions: [sfo2, sgp1]',
    [
      'next-renewal issuer sfo2-cluster: is believed as https://kubernetes.default.svc.cluster.local in sfo2, sgp1, by its keys sfo2-key',
    ],
  ],
] as const)
  test(`tells of ${what}`, (t) => {
    t.deepEqual(planned(yaml.replace(passage, () => by)), [...lines])
  })

test('tells of the keys of an issuer, which stand in another file', (t) => {
  const files = { ...keyFiles, 'ams3.jwks.json': sfo2Cluster.jwks }
  t.deepEqual(planned(yaml, files), [
    'next-renewal issuer ams3-cluster: is believed as https://kubernetes.default.svc.cluster.local in ams3, by its keys sfo2-key',
  ])
})

test('tells of issuers that come and go', (t) => {
  const renamed = yaml.replaceAll('builds', 'works')
  t.deepEqual(
    planned(renamed, { ...keyFiles, 'works.jwks.json': keyFiles['builds.jwks.json'] ?? '' })[0],
    'next-renewal issuer builds: its tokens are exchanged no more',
  )
})

test('takes what an older release has signed, which knows of no issuer', (t) => {
  const { issuers: _, ...older } = { ...before, roles: [] }
  t.is(planIdentities(older as unknown as Archipelago, before).length, 4)
})
