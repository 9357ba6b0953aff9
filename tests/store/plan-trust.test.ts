import { existsSync } from 'node:fs'
import test from 'ava'
import { planTrust, requireTrustAgreed } from '../../store/plan-trust.ts'
import { archipelago, nowSeconds } from '../core/trust/example.ts'
import { makeHomes, snapshot } from './home.ts'

const [kept] = archipelago.regions
const smaller = { ...archipelago, regions: archipelago.regions.filter((region) => region === kept) }

test('the first signing is planned without a file, and asks nobody', (t) => {
  const { data, homes } = makeHomes(t)
  const signing = { homes, archipelago, nowSeconds }
  const { plan, changes } = planTrust(signing, {})
  t.deepEqual([...new Set(plan?.lines.map(({ effect }) => effect))], ['resign'])
  t.true(changes.length > 0)
  t.notThrows(() => requireTrustAgreed(signing, {}))
  t.false(existsSync(data))
})

test("a region's home signs nothing: there is no plan", (t) => {
  const { homes } = makeHomes(t)
  const signing = { homes, archipelago, nowSeconds }
  t.is(planTrust(signing, { homes: [kept?.name ?? ''] }).plan, undefined)
})

test('what withdraws a region needs agreement to exactly that', (t) => {
  const { data, homes, bootstrap } = makeHomes(t)
  bootstrap()
  const before = snapshot(data)
  const signing = { homes, archipelago: smaller, nowSeconds: nowSeconds + 1 }
  const { plan } = planTrust(signing, {})
  t.true(plan?.asks)
  t.throws(() => requireTrustAgreed(signing, {}), {
    code: 'ERR_PLAN_ASKS',
    message: /^nobody agreed to withdraw leafnode\./,
  })
  t.throws(() => requireTrustAgreed(signing, {}, 'f'.repeat(64)), {
    code: 'ERR_PLAN_CHANGED',
    message: 'the plan is another one than was agreed to',
  })
  t.notThrows(() => requireTrustAgreed(signing, {}, plan?.digest))
  t.deepEqual(snapshot(data), before)
})
