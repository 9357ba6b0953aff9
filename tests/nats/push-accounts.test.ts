import test from 'ava'
import { findStrangers } from '../../nats/push-accounts.ts'

const expected = ['ams3-0', 'ams3-1']
const [zero, one] = [
  { name: 'ams3-0', id: 'N0' },
  { name: 'ams3-1', id: 'N1' },
]

for (const [what, servers, strangers] of [
  ['the expected servers', [one, zero], []],
  ['one that is missing', [zero], []],
  ['nobody', [], []],
  ['a name that nobody expects', [zero, { name: 'evil-0', id: 'N2' }, one], ['evil-0 (N2)']],
  ['a name that another server has', [zero, one, { name: 'ams3-1', id: 'N2' }], ['ams3-1 (N2)']],
] as const)
  test(`strangers among servers: ${what}`, (t) => {
    t.deepEqual(findStrangers(servers, expected), [...strangers])
  })
