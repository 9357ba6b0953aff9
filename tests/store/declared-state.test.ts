import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AccountJwt } from '../../core/trust/account.ts'
import type { DeclaredState, DeclaredTrust, Revoked } from '../../core/trust/declared-state.ts'
import { endOfTimeSeconds } from '../../core/trust/revoke.ts'
import { openDeclaredState } from '../../store/declared-state.ts'
import { openFiles } from '../../store/files.ts'
import { operatorSigner } from '../../store/operator.ts'
import { publicFiles } from '../../store/public.ts'
import { nowSeconds, pairOf } from '../core/trust/example.ts'
import { makeHomes, requireOperator, snapshot } from './home.ts'

const alice = pairOf('user', 'alice').publicKey
const bob = pairOf('user', 'bob').publicKey
const keptSeconds = 3600 + 120

function open(t: ExecutionContext) {
  const homes = makeHomes(t)
  const operator = requireOperator(homes.bootstrap())
  const stateAt = (seconds: number): DeclaredState =>
    openDeclaredState(homes.options, () => nowSeconds + seconds)
  return { ...homes, operator, stateAt }
}

const revoked = (change: Partial<Revoked>): Revoked => ({
  ...{ nkeys: [], names: [], tickets: [], accounts: ['KUBECON'] },
  ...change,
})

function kubecon({ accounts }: Pick<DeclaredTrust, 'accounts'>): AccountJwt {
  return accounts.find(({ claims }) => claims.name === 'KUBECON') as AccountJwt
}

test('a revocation is on disk, in the account and on the deny list, when it returns', (t) => {
  const { stateAt, homes, operator } = open(t)
  const after = stateAt(1).revoke(revoked({ nkeys: [alice], names: ['alice'], tickets: ['T'] }))
  t.deepEqual(kubecon(after).claims.nats.revocations, { [alice]: endOfTimeSeconds })
  t.like(after.denyList.claims.nats, {
    nkeys: [alice],
    names: ['alice'],
    tickets: ['T'],
    sequence: 2,
  })
  t.is(readFileSync(publicFiles.account(homes.public, 'KUBECON'), 'utf8'), kubecon(after).text)
  t.is(readFileSync(publicFiles.denyList(homes.public), 'utf8'), after.denyList.text)
  const before = operator.accounts.filter(({ claims }) => claims.name !== 'KUBECON')
  for (const { text } of before) t.true(after.accounts.some((account) => account.text === text))
})

test('done twice, it changes nothing', (t) => {
  const { stateAt, data } = open(t)
  const target = revoked({ nkeys: [alice], names: ['alice'] })
  stateAt(1).revoke(target)
  const before = snapshot(data)
  stateAt(2).revoke(target)
  const files = (all: Map<string, string>) =>
    [...all].filter(([, what]) => !what.endsWith('folder'))
  t.deepEqual(files(snapshot(data)), files(before))
})

test('revocations within one second are each later than the one before', (t) => {
  const { stateAt } = open(t)
  const state = stateAt(1)
  const [one, two] = [alice, bob].map((nkey) => state.revoke(revoked({ nkeys: [nkey] })))
  if (one === undefined || two === undefined) throw new RangeError('two revocations')
  t.is(kubecon(two).claims.iat, kubecon(one).claims.iat + 1)
  t.deepEqual(Object.keys(kubecon(two).claims.nats.revocations), [alice, bob].toSorted())
  t.is(two.denyList.claims.nats.sequence, 3)
})

test('the record of a revocation is private', (t) => {
  const { stateAt, homes } = open(t)
  stateAt(1).revoke(revoked({ nkeys: [alice] }))
  t.is(statSync(join(homes.operator, 'revocations.json')).mode & 0o777, 0o600)
})

test('when no credential can be alive the key leaves the account, and stays denied', (t) => {
  const { stateAt } = open(t)
  stateAt(1).revoke(revoked({ nkeys: [alice] }))
  const early = stateAt(keptSeconds).revoke(revoked({ nkeys: [bob] }))
  t.deepEqual(Object.keys(kubecon(early).claims.nats.revocations), [alice, bob].toSorted())
  const late = stateAt(1 + keptSeconds).revoke(revoked({}))
  t.deepEqual(Object.keys(kubecon(late).claims.nats.revocations), [bob])
  t.deepEqual(late.denyList.claims.nats.nkeys, [alice, bob].toSorted())
})

test('the next bootstrap takes it out as well', (t) => {
  const { stateAt, bootstrap } = open(t)
  stateAt(1).revoke(revoked({ nkeys: [alice] }))
  const held = (seconds: number) => {
    const home = requireOperator(bootstrap({}, { nowSeconds: nowSeconds + seconds }))
    return Object.keys(kubecon(home).claims.nats.revocations)
  }
  t.deepEqual(held(keptSeconds), [alice])
  t.deepEqual(held(1 + keptSeconds), [])
})

test('a key that is revoked again is kept from then on', (t) => {
  const { stateAt } = open(t)
  stateAt(1).revoke(revoked({ nkeys: [alice] }))
  stateAt(1 + keptSeconds).revoke(revoked({}))
  stateAt(2 + keptSeconds).revoke(revoked({ nkeys: [alice] }))
  const after = stateAt(2 * keptSeconds).revoke(revoked({}))
  t.deepEqual(Object.keys(kubecon(after).claims.nats.revocations), [alice])
})

test('too many revocations change nothing', (t) => {
  const { stateAt } = open(t)
  const before = stateAt(0).read()
  const nkeys = Array.from({ length: 1001 }, (_, at) => `U${at}`)
  t.throws(() => stateAt(1).revoke(revoked({ nkeys })), { code: 'ERR_REVOCATIONS_FULL' })
  t.deepEqual(stateAt(1).read(), before)
  t.deepEqual(kubecon(stateAt(2).revoke(revoked({ nkeys: [alice] }))).claims.nats.revocations, {
    [alice]: endOfTimeSeconds,
  })
})

test('an account is signed again above a given second, the same but for its time', (t) => {
  const { stateAt } = open(t)
  const before = kubecon(stateAt(0).read())
  const after = kubecon(stateAt(1).outdate('KUBECON', nowSeconds + 500))
  t.is(after.claims.iat, nowSeconds + 501)
  t.deepEqual(after.claims.nats, before.claims.nats)
  t.is(kubecon(stateAt(1).outdate('KUBECON', nowSeconds + 400)).text, after.text)
})

test('where the signing keys are not at home nothing can be revoked', (t) => {
  const { stateAt, homes, operator, options } = open(t)
  const { store } = operator
  const files = openFiles()
  t.truthy(operatorSigner(store, operator.operator))
  const elsewhere = { ...homes, operator: join(homes.data, 'nobody') }
  const state = openDeclaredState({ ...options, files, homes: elsewhere }, () => nowSeconds)
  t.throws(() => state.revoke(revoked({ nkeys: [alice] })), { code: 'ERR_KEY_NOT_HERE' })
  t.deepEqual(state.read(), stateAt(0).read())
})

test('an identity is withdrawn until it is reinstated, and what was revoked stays so', (t) => {
  const { stateAt } = open(t)
  const id = 'spiffe://ams3.example/workload/billing'
  stateAt(1).revoke(revoked({ nkeys: [alice], identities: [id] }))
  t.like(stateAt(2).read().denyList.claims.nats, { identities: [id], nkeys: [alice], sequence: 2 })
  t.like(stateAt(2).revoke(revoked({ identities: [id] })).denyList.claims.nats, { sequence: 2 })
  const after = stateAt(3).reinstate([id])
  t.like(after.denyList.claims.nats, { identities: [], nkeys: [alice], sequence: 3 })
  t.deepEqual(kubecon(after).claims.nats.revocations, { [alice]: endOfTimeSeconds })
  t.like(stateAt(4).reinstate([id]).denyList.claims.nats, { sequence: 3 })
})
