import test from 'ava'
import fc from 'fast-check'
import { sealAnswer } from '../../../core/access/answer.ts'
import { makeAsk, readAnswer, type Asking } from '../../../core/access/ask.ts'
import { decideAccess } from '../../../core/access/decision.ts'
import { decideRenewal } from '../../../core/access/renewal.ts'
import { parseRequest } from '../../../core/access/request.ts'
import { alice, encode, inviteKey, makeCredential, makeInvited, makeTrust, nowMs } from './trust.ts'

const trust = makeTrust()
const asking: Asking = {
  operator: trust.operator,
  door: 'lobby',
  role: 'member',
  name: 'alice',
  nonce: 'nonce-of-a-request',
  nowMs,
  ...alice,
}
const ask = makeAsk(asking)
const jwt = makeCredential(trust, 'member.lobby.ams3')
const answer = {
  nonce: asking.nonce,
  nkey: alice.pair.publicKey,
  jwt,
  account: trust.account.text,
  region: 'ams3',
}

test('what it asks for at the lobby is granted', (t) => {
  t.is(decideAccess(ask.bytes, trust.context('lobby')).name, 'alice')
})

test('what it asks for with an invite is granted', (t) => {
  const ticket = parseRequest(makeInvited(trust).bytes).ticket ?? ''
  const invited = { ...asking, door: 'invite', role: 'moderator' } as const
  const { bytes } = makeAsk({ ...invited, invite: { ticket, key: inviteKey } })
  t.is(decideAccess(bytes, trust.context('invite')).role.name, 'moderator')
})

test('what it asks for with a credential is renewed', (t) => {
  const { bytes } = makeAsk({ ...asking, currentJwt: jwt })
  const { publicKey } = alice.pair
  t.is(decideRenewal(bytes, trust.context('lobby'), publicKey).rule, 'renewal')
})

test('does not ask with a name that every function would refuse', (t) => {
  t.throws(() => makeAsk({ ...asking, name: 'a*' }), {
    code: 'ERR_NAME_ILLEGAL',
    message: "illegal name: 'a*'",
  })
})

test('takes the answer to its own request', (t) => {
  const proof = parseRequest(ask.bytes).proof
  const sealed = sealAnswer(answer, { curve: alice.curve.publicKey, proof })
  const { account, region } = answer
  t.deepEqual(readAnswer(encode({ sealed }), ask, asking), {
    kind: 'granted',
    jwt,
    account,
    region,
  })
})

const nonce = asking.nonce
for (const [what, body, isBusy] of [
  ['its own request', { code: 'ERR_ROLE_DOOR', message: 'no', nonce }, false],
  ['a function that is busy', { code: 'ERR_BUSY', message: 'no' }, true],
] as const)
  test(`takes a refusal of ${what}`, (t) => {
    const read = readAnswer(encode(body), ask, asking)
    t.like(read, { kind: 'refused', isBusy, refusal: { code: body.code, message: 'no' } })
  })

test('shows a refusal as one line without anything invisible', (t) => {
  const message = `a\u001b[31m\n\u202e${'b'.repeat(300)}`
  const read = readAnswer(encode({ code: 'ERR_ROLE_DOOR', message, nonce }), ask, asking)
  t.is(read.kind === 'refused' && read.refusal.message, `a [31m  ${'b'.repeat(192)}`)
})

for (const [what, body, reason] of [
  ['a refusal without its nonce', { code: 'ERR_ROLE_DOOR' }, 'refusal of another request'],
  [
    'a refusal with another nonce',
    { code: 'ERR_ROLE_DOOR', nonce: 'x' },
    'refusal of another request',
  ],
  ['a code that is none', { code: 'oops', nonce }, 'refusal of another request'],
  ['a code that is no text', { code: {}, nonce }, 'refusal of another request'],
  ['what is sealed to somebody else', { sealed: 'AAAA' }, undefined],
  ['a list', [], 'refusal of another request'],
  ['null', null, 'not an answer'],
] as const)
  test(`waits on after ${what}`, (t) => {
    const read = readAnswer(encode(body), ask, asking)
    t.is(read.kind, 'ignored')
    if (reason !== undefined) t.like(read, { reason })
  })

test('never throws, whatever is sent to its inbox', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        t.is(readAnswer(bytes, ask, asking).kind, 'ignored')
      },
    ),
  )
})
