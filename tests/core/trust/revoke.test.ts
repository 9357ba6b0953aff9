import test from 'ava'
import { assert, constantFrom, integer, property, record, array } from 'fast-check'
import {
  addRevocations,
  endOfTimeSeconds,
  formatRevocationRecords,
  keepRevocations,
  parseRevocationRecords,
  recordRevocations,
  revocationsMax,
} from '../../../core/trust/revoke.ts'
import { accountOf, archipelago, nowSeconds, pairOf } from './example.ts'

const [alice, bob] = [pairOf('user', 'alice').publicKey, pairOf('user', 'bob').publicKey]
const name = 'KUBECON'
const memberSeconds = 3600
const skewSeconds = 120

test('the end of time is in the year 9999 in every time zone', (t) => {
  for (const hours of [-12, 14]) {
    const local = new Date((endOfTimeSeconds + hours * 3600) * 1000)
    t.is(local.getUTCFullYear(), 9999)
  }
})

test('a revoked key is revoked until the end of time, in an order that does not depend on the past', (t) => {
  const one = addRevocations(
    { name, revocations: addRevocations({ name, revocations: {} }, [bob]) },
    [alice],
  )
  const other = addRevocations({ name, revocations: {} }, [alice, bob, alice])
  t.is(JSON.stringify(one), JSON.stringify(other))
  t.deepEqual(Object.values(one), [endOfTimeSeconds, endOfTimeSeconds])
})

test('an entry that somebody else made keeps its time', (t) => {
  t.is(addRevocations({ name, revocations: { [alice]: 7 } }, [alice])[alice], 7)
})

test('an account does not hold more revoked keys than fit', (t) => {
  const nkeys = Array.from({ length: revocationsMax + 1 }, (_, at) => `U${at}`)
  t.is(
    Object.keys(addRevocations({ name, revocations: {} }, nkeys.slice(1))).length,
    revocationsMax,
  )
  t.throws(() => addRevocations({ name, revocations: {} }, nkeys), {
    code: 'ERR_REVOCATIONS_FULL',
    message: 'account KUBECON: more than 1000 revoked keys: 1001',
  })
})

test('an entry leaves when the longest credential of its account and the clocks are over', (t) => {
  const [recorded] = recordRevocations(archipelago, accountOf(name), { nkeys: [alice], nowSeconds })
  t.is(recorded?.keptUntilSeconds, nowSeconds + memberSeconds + skewSeconds)
  if (recorded === undefined) return
  const before = { name, revocations: { [alice]: endOfTimeSeconds, [bob]: endOfTimeSeconds } }
  const at = (seconds: number) => Object.keys(keepRevocations(before, [recorded], seconds))
  t.deepEqual(at(recorded.keptUntilSeconds - 1), [alice, bob])
  t.deepEqual(at(recorded.keptUntilSeconds), [bob], 'what has no record stays')
  const elsewhere = { ...before, name: 'NATSCON' }
  t.deepEqual(Object.keys(keepRevocations(elsewhere, [recorded], Infinity)), [alice, bob])
})

const records = array(
  record({
    account: constantFrom('KUBECON', 'ACCESS'),
    nkey: constantFrom<string>(alice, bob),
    revokedAtSeconds: integer(),
    keptUntilSeconds: integer(),
  }),
)
test('records come back as they were written', (t) => {
  assert(
    property(records, (list) => {
      t.deepEqual(parseRevocationRecords(formatRevocationRecords(list)), list)
    }),
  )
  t.pass()
})

const good = { account: name, nkey: alice, revokedAtSeconds: 1, keptUntilSeconds: 2 }
for (const [what, text, message] of [
  ['no JSON', '[', /^illegal revocations: not JSON$/],
  ['no list', '{}', /^illegal revocations: Invalid input/],
  ['a record with more in it', JSON.stringify([{ ...good, more: 1 }]), /^illegal revocations: 0: /],
  [
    'half a second',
    JSON.stringify([good, { ...good, keptUntilSeconds: 0.5 }]),
    /^illegal revocations: 1\.keptUntilSeconds: /,
  ],
] as const)
  test(`records with ${what} are refused`, (t) => {
    t.throws(() => parseRevocationRecords(text), { code: 'ERR_REVOCATIONS_ILLEGAL', message })
  })
