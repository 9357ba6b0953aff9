import test from 'ava'
import { array, assert, property, string } from 'fast-check'
import {
  denyListState,
  parseDenyList,
  signDenyList,
  succeedDenyList,
  type DenyList,
} from '../../../core/trust/deny-list.ts'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import { identity, nowSeconds, operator, signer, stranger } from './example.ts'

const sign = (added: object, previous?: DenyList, by = signer): DenyList =>
  signDenyList(by, { operator: identity.publicKey, previous, added, nowSeconds })
const empty = sign({})
const first = sign({ names: ['mallory'] }, empty)

test('a list comes back', (t) => {
  t.deepEqual(parseDenyList(first.text, operator), first)
  const none = { nkeys: [], tickets: [], identities: [] }
  t.like(first.claims.nats, { sequence: 2, names: ['mallory'], ...none })
})

test('what is lifted goes, and nothing else', (t) => {
  const [billing, orders] = ['spiffe://ams3.example/billing', 'spiffe://ams3.example/orders']
  const held = sign({ identities: [billing, orders], names: ['mallory'] })
  const lifted = { identities: [billing] }
  const subject = identity.publicKey
  const next = signDenyList(signer, {
    ...{ operator: subject, previous: held, added: {}, lifted, nowSeconds },
  })
  t.like(next.claims.nats, { identities: [orders], names: ['mallory'], sequence: 2 })
})

test('a list from before identities could be withdrawn has none', (t) => {
  const { identities: _, ...before } = first.claims.nats
  const list = encodeJwt({ iat: nowSeconds, sub: identity.publicKey, nats: before }, signer)
  t.deepEqual(parseDenyList(list.text, operator).claims.nats.identities, [])
})

test('a list keeps all that was denied before, each once and in order', (t) => {
  assert(
    property(array(string()), array(string()), (before, added) => {
      const next = sign({ names: added }, sign({ names: before }))
      t.deepEqual(next.claims.nats.names, [...new Set([...before, ...added])].toSorted())
      t.is(next.claims.nats.sequence, 2)
    }),
    { numRuns: 30 },
  )
  t.pass()
})

const { nats } = first.claims
const claims = { iat: nowSeconds, sub: identity.publicKey }
for (const [what, list, message] of [
  [
    'a stranger',
    sign({}, undefined, stranger),
    `signed by a foreign operator: ${stranger.publicKey}`,
  ],
  [
    "the operator's identity key",
    sign({}, undefined, identity),
    `signed by a foreign operator: ${identity.publicKey}`,
  ],
  [
    'this operator for another',
    encodeJwt({ ...claims, sub: stranger.publicKey, nats }, signer),
    `signed by a foreign operator: ${signer.publicKey}`,
  ],
] as const)
  test(`a list by ${what} is refused`, (t) => {
    t.throws(() => parseDenyList(list.text, operator), {
      code: 'ERR_DENY_LIST_ILLEGAL',
      message: `deny list: ${message}`,
    })
  })

for (const [what, changed] of [
  ['names', { names: undefined }],
  ['a list of keys', { nkeys: 'all' }],
  ['a list of identities', { identities: 'all' }],
  ['a whole sequence', { sequence: 1.5 }],
] as const)
  test(`a list without ${what} is refused`, (t) => {
    const list = encodeJwt({ ...claims, nats: { ...nats, ...changed } }, signer)
    t.throws(() => parseDenyList(list.text, operator), {
      code: 'ERR_DENY_LIST_ILLEGAL',
      message: `deny list ${list.claims.jti}: not whole`,
    })
  })

test('a newer list is taken, and the same one again', (t) => {
  t.is(succeedDenyList(empty, first), first)
  t.is(succeedDenyList(first, first), first)
})

for (const [what, candidate] of [
  ['an older list', empty],
  ['another list of the same sequence', sign({ names: ['bob'] }, empty)],
] as const)
  test(`${what} is refused`, (t) => {
    const { sequence } = candidate.claims.nats
    t.throws(() => succeedDenyList(first, candidate), {
      code: 'ERR_DENY_LIST_OLDER',
      message: `deny list: sequence ${sequence} is not above 2`,
    })
  })

test('two lists are told apart by sequence and digest', (t) => {
  t.is(denyListState(first).sequence, 2)
  t.regex(denyListState(first).digest, /^[0-9a-f]{64}$/)
  t.notDeepEqual(denyListState(first), denyListState(sign({ names: ['bob'] }, empty)))
})
