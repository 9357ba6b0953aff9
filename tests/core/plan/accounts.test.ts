import test from 'ava'
import { planAccounts, type AccountBodies } from '../../../core/plan/accounts.ts'
import type { PlanLine } from '../../../core/plan/line.ts'
import type { AccountBody } from '../../../core/trust/account.ts'
import { edited } from '../archipelago/example.ts'
import { pairOf } from '../trust/example.ts'
import { before, stateOf } from './example.ts'

const kubecon = { subjects: ['account KUBECON'] }
const withoutFra1 = before.accounts
const fra1 = edited('\n# Where every', '  fra1:\n    addresses: [fra1.example]\n\n# Where every')
const back = 'closed, and back with the same credential'
const forGood = { reason: 'its key is withdrawn: cut off for good', asks: true } as const

const everywhere = (scope: string): string[] =>
  ['ams3', 'sfo2', 'sgp1'].map((region) => `${scope}.${region}`)

function bodyOf(accounts: AccountBodies, name: string): AccountBody {
  const body = accounts.get(name)
  if (body === undefined) throw new RangeError(`no account ${name}`)
  return body
}

/** The accounts of the example with one of them changed. */
function withBody(name: string, change: (body: AccountBody) => Partial<AccountBody>) {
  const body = bodyOf(before.accounts, name)
  return new Map([...before.accounts, [name, { ...body, ...change(body) }]])
}

const withLimit = (limit: Partial<AccountBody['limits']>) =>
  withBody('KUBECON', ({ limits }) => ({ limits: { ...limits, ...limit } }))

interface Case {
  readonly title: string
  readonly from?: AccountBodies
  readonly to: AccountBodies
  readonly lines: readonly PlanLine[]
}

const cases: readonly Case[] = [
  { title: 'the same accounts have no line', to: stateOf(edited('1h', '60m')).accounts, lines: [] },
  {
    title: 'an account that is not there yet is signed for the first time',
    from: new Map([...before.accounts].filter(([name]) => name !== 'KUBECON')),
    to: before.accounts,
    lines: [{ effect: 'resign', ...kubecon, reason: 'is new' }],
  },
  {
    title: 'a wider ceiling closes the connections of that role alone, in every region',
    to: stateOf(edited('subscribe: [chat.KUBECON.>]', 'subscribe: [chat.KUBECON.>, news]'))
      .accounts,
    lines: [
      {
        ...{ effect: 'resign', ...kubecon },
        reason: `ceilings changed: ${everywhere('moderator.invite').join(', ')}`,
      },
      {
        ...{ effect: 'disconnect', subjects: everywhere('moderator.invite') },
        reason: `its ceiling changes (subscribe +news): ${back}`,
      },
    ],
  },
  {
    title: 'other limits of one connection are a ceiling too',
    to: withBody('KUBECON', ({ signing_keys: keys }) => ({
      signing_keys: keys.map((scope) =>
        scope.role === 'member.lobby.ams3'
          ? { ...scope, template: { ...scope.template, subs: 8, payload: -1 } }
          : scope,
      ),
    })),
    lines: [
      { effect: 'resign', ...kubecon, reason: 'ceilings changed: member.lobby.ams3' },
      {
        ...{ effect: 'disconnect', subjects: ['member.lobby.ams3'] },
        reason: `its ceiling changes (subscriptions 32 → 8, payload bytes 65536 → unlimited): ${back}`,
      },
    ],
  },
  {
    title: 'a region that joins disturbs nobody',
    from: withoutFra1,
    to: stateOf(fra1).accounts,
    lines: [
      {
        ...{ effect: 'resign', subjects: ['account ACCESS'] },
        reason: 'keys added: leafnode.fra1; leafnodes 96 → 128',
      },
      {
        ...{ effect: 'resign', ...kubecon },
        reason: 'keys added: member.lobby.fra1, moderator.invite.fra1',
      },
    ],
  },
  {
    title: 'a region that goes takes its credentials with it, and asks',
    from: stateOf(fra1).accounts,
    to: withoutFra1,
    lines: [
      {
        ...{ effect: 'resign', subjects: ['account ACCESS'] },
        reason: 'keys withdrawn: leafnode.fra1; leafnodes 128 → 96',
      },
      { effect: 'disconnect', subjects: ['leafnode.fra1'], ...forGood },
      {
        ...{ effect: 'resign', ...kubecon },
        reason: 'keys withdrawn: member.lobby.fra1, moderator.invite.fra1',
      },
      {
        ...{ effect: 'disconnect', subjects: ['member.lobby.fra1', 'moderator.invite.fra1'] },
        ...forGood,
      },
    ],
  },
  {
    title: 'a key in the place of another does not ask',
    to: withBody('KUBECON', ({ signing_keys: keys }) => ({
      signing_keys: keys.map((scope) =>
        scope.role === 'member.lobby.ams3'
          ? { ...scope, key: pairOf('account', 'another').publicKey }
          : scope,
      ),
    })),
    lines: [
      {
        ...{ effect: 'resign', ...kubecon },
        reason: 'keys added: member.lobby.ams3; keys withdrawn: member.lobby.ams3',
      },
      {
        ...{ effect: 'disconnect', subjects: ['member.lobby.ams3'] },
        reason: 'its key is replaced: cut off until it has another credential',
      },
    ],
  },
  {
    title: 'fewer connections close the newest on every server',
    to: withLimit({ conn: 50 }),
    lines: [
      { effect: 'resign', ...kubecon, reason: 'connections 10000 → 50' },
      {
        ...{ effect: 'disconnect', ...kubecon },
        reason: 'every server closes its newest connections over 50',
      },
    ],
  },
  {
    title: 'more connections close nobody',
    to: withLimit({ conn: -1 }),
    lines: [{ effect: 'resign', ...kubecon, reason: 'connections 10000 → unlimited' }],
  },
  {
    title: 'a limit where there was none closes connections',
    from: withLimit({ conn: -1 }),
    to: before.accounts,
    lines: [
      { effect: 'resign', ...kubecon, reason: 'connections unlimited → 10000' },
      {
        ...{ effect: 'disconnect', ...kubecon },
        reason: 'every server closes its newest connections over 10000',
      },
    ],
  },
  {
    title: 'fewer leafnodes and smaller messages close nobody',
    to: withLimit({ leaf: -1, payload: 1024 }),
    lines: [
      {
        effect: 'resign',
        ...kubecon,
        reason: 'leafnodes 0 → unlimited; payload bytes unlimited → 1024',
      },
    ],
  },
  {
    title: 'other imports close nobody',
    to: withBody('KUBECON', () => ({ imports: [], revocations: { UX: 1 } })),
    lines: [{ effect: 'resign', ...kubecon, reason: 'imports changed; revocations changed' }],
  },
  {
    title: 'an account without keys and connections is closed, and asks',
    to: withBody('KUBECON', ({ limits }) => ({ signing_keys: [], limits: { ...limits, conn: 0 } })),
    lines: [
      { effect: 'resign', ...kubecon, reason: 'is closed' },
      {
        ...{ effect: 'disconnect', ...kubecon, asks: true },
        reason: 'is not in archipelago.yaml any more: everybody in it is cut off for good',
      },
    ],
  },
]

for (const { title, from = before.accounts, to, lines } of cases)
  test(title, (t) => t.deepEqual(planAccounts(from, to), lines))
