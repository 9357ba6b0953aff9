import test from 'ava'
import type { ProcessChange } from '../../../core/network/change.ts'
import { requireAgreed } from '../../../core/plan/agreement.ts'
import { formatPlan } from '../../../core/plan/format.ts'
import { planLifetimes } from '../../../core/plan/lifetimes.ts'
import { countEffects, makePlan, type ProcessChanges } from '../../../core/plan/plan.ts'
import { edited, good } from '../archipelago/example.ts'
import { before, stateOf } from './example.ts'

const nothing: ProcessChanges = { servers: [], functions: [] }
const change = (
  name: string,
  effect: ProcessChange['effect'],
  settings: readonly string[] = [],
): ProcessChange => ({ name, effect, settings })

const withoutModerators = stateOf(
  edited('doors: [invite]', 'doors: []').replace('connectionsMax: 10000', 'connectionsMax: 99'),
)

test('without an edit there is nothing to do', (t) => {
  const plan = makePlan(before, stateOf(good), nothing)
  t.like(plan, { lines: [], asks: false, isPossible: true })
  t.deepEqual(formatPlan(plan), ['nothing to do'])
})

test('another name is another network', (t) => {
  const other = stateOf(edited('network: archipelago', 'network: other'))
  const plan = makePlan(before, other, nothing)
  t.deepEqual(plan.lines, [
    {
      effect: 'impossible',
      subjects: ['network'],
      reason:
        "this data directory is of 'archipelago', not 'other': another network has its own keys, so start it in another --data-dir",
    },
  ])
  t.false(plan.isPossible)
  t.throws(() => requireAgreed(plan, plan.digest), {
    code: 'ERR_PLAN_IMPOSSIBLE',
    message: /^network: this data directory is of 'archipelago', not 'other'/,
  })
})

test('a network that does not run takes all of it when it starts', (t) => {
  const ports = stateOf(edited('firstPort: 14200', 'firstPort: 15000'))
  const line = {
    effect: 'next-start',
    subjects: ['the network'],
    reason: 'does not run: its processes take all of it at the next npm start',
  }
  t.deepEqual(makePlan(before, ports, undefined).lines, [line])
  t.deepEqual(makePlan(before, before, undefined).lines, [])
})

test('trust comes first, then processes: what goes, what comes, what reloads, what restarts', (t) => {
  const processes: ProcessChanges = {
    servers: [
      change('sfo2-0', 'restart', ['gateway.gateways', 'gateway.tls.pinned_certs']),
      change('sfo2-1', 'restart', ['gateway.gateways', 'gateway.tls.pinned_certs']),
      change('sfo2-leafnode', 'none'),
      change('ams3-0', 'reload', ['resolver_preload.AAAA', 'resolver_preload.ABBB']),
      change('fra1-0', 'start'),
      change('sgp1-0', 'stop'),
    ],
    functions: [
      change('ams3-lobby', 'restart', ['HTTPS_PORT']),
      change('fra1-lobby', 'start'),
      change('sgp1-lobby', 'stop'),
    ],
  }
  const plan = makePlan(before, stateOf(edited('lifetime: 1h', 'lifetime: 2h')), nothing)
  t.deepEqual(
    plan.lines.map(({ effect }) => effect),
    ['next-renewal'],
  )
  const { lines } = makePlan(before, withoutModerators, processes)
  t.deepEqual(
    lines.map(({ effect, subjects }) => [effect, ...subjects]),
    [
      ['resign', 'account ACCESS'],
      ['disconnect', 'leafnode.ams3', 'leafnode.sfo2', 'leafnode.sgp1'],
      ['resign', 'account LOBBY'],
      ['disconnect', 'lobby'],
      ['resign', 'account KUBECON'],
      ['disconnect', 'moderator.invite.ams3', 'moderator.invite.sfo2', 'moderator.invite.sgp1'],
      ['disconnect', 'account KUBECON'],
      ['stop', 'sgp1-lobby', 'sgp1-0'],
      ['start', 'fra1-0', 'fra1-lobby'],
      ['reload', 'ams3-0'],
      ['restart', 'sfo2-0', 'sfo2-1'],
      ['restart', 'ams3-lobby'],
    ],
  )
  t.deepEqual(
    lines.slice(-3).map(({ reason }) => reason),
    [
      'resolver_preload changed',
      'gateway.gateways, gateway.tls.pinned_certs changed; its connections move',
      'HTTPS_PORT changed; its connections move',
    ],
  )
})

test('accounts that were signed meanwhile are no reason to reload', (t) => {
  const servers = [
    change('ams3-0', 'reload', ['resolver_preload.AAAA']),
    change('ams3-1', 'reload', ['resolver_preload.AAAA', 'max_connections']),
  ]
  const { lines } = makePlan(before, before, { servers, functions: [] })
  t.deepEqual(
    lines.map(({ subjects }) => subjects),
    [['ams3-1']],
  )
})

test('a role without doors asks; only who saw that plan has agreed', (t) => {
  const plan = makePlan(before, withoutModerators, nothing)
  t.true(plan.asks)
  t.notThrows(() => requireAgreed(plan, plan.digest))
  t.throws(() => requireAgreed(plan), {
    code: 'ERR_PLAN_ASKS',
    message:
      'nobody agreed to withdraw moderator.invite.ams3, moderator.invite.sfo2, moderator.invite.sgp1',
  })
  const more = makePlan(before, withoutModerators, {
    ...nothing,
    servers: [change('ams3-0', 'restart', ['listen'])],
  })
  t.throws(() => requireAgreed(more, plan.digest), {
    code: 'ERR_PLAN_CHANGED',
    message: 'the plan is another one than was agreed to',
  })
})

for (const { title, to, lines } of [
  {
    title: 'a longer life is that of the next credential',
    to: ['lifetime: 1h', 'lifetime: 2h'],
    lines: ['next-renewal role member: a credential lives 7200 s instead of 3600 s'],
  },
  {
    title: 'a shorter life ends what was made to live longer',
    to: ['lifetime: 15m', 'lifetime: 5m'],
    lines: [
      'next-renewal role moderator: a credential lives 300 s instead of 900 s',
      'disconnect role moderator: the watcher closes connections whose credential lives longer, until it is renewed',
    ],
  },
  {
    title: "a leafnode's life is renewed by its region",
    to: ['lifetime: 24h', 'lifetime: 48h'],
    lines: ['next-renewal leafnodes: a credential lives 172800 s instead of 86400 s'],
  },
  {
    title: 'a shorter stay in the lobby is enforced by the watcher',
    to: ['connectionLifetime: 30s', 'connectionLifetime: 10s'],
    lines: ['disconnect the lobby: the watcher closes connections older than 10 s instead of 30 s'],
  },
] as const)
  test(title, (t) => {
    const [passage, by] = to
    const planned = planLifetimes(before.archipelago, stateOf(edited(passage, by)).archipelago)
    t.deepEqual(
      planned.map(({ effect, subjects, reason }) => `${effect} ${subjects.join(', ')}: ${reason}`),
      [...lines],
    )
  })

test('for people a plan is a line for each consequence, and a sum', (t) => {
  const servers = [change('ams3-0', 'reload', ['max_connections']), change('fra1-0', 'start')]
  const plan = makePlan(before, withoutModerators, { servers, functions: [] })
  const lines = formatPlan(plan)
  t.is(
    lines[0],
    'resign      account ACCESS: ceilings changed: leafnode.ams3, leafnode.sfo2, leafnode.sgp1; exports changed',
  )
  t.is(lines.at(-3), 'reload      ams3-0: max_connections changed')
  t.is(lines.at(-1), '3 re-signed, 8 disconnected, 1 started, 1 reloaded')
  t.deepEqual(countEffects(plan).at(-1), ['reload', 1])
})
