import test from 'ava'
import { Refusal } from '../../../core/errors.ts'
import {
  decideAccess,
  proofAgeSecondsMax,
  type DecisionContext,
} from '../../../core/access/decision.ts'
import { issueCredential } from '../../../core/access/issue.ts'
import { verifyChain } from '../../../core/trust/chain.ts'
import { formatTime } from '../../../core/time.ts'
import type { NkeyPair } from '../../../core/trust/nkey.ts'
import {
  alice,
  inviteKey,
  makeInvited,
  makePair,
  makeRequest,
  makeTrust,
  nowMs,
  nowSeconds,
} from './trust.ts'

const trust = makeTrust()
const foreign = makeTrust()
const lobby = trust.context('lobby')
const invite = trust.context('invite')
const { publicKey: nkey } = alice.pair

test('at the lobby a name is given what was asked for, and nothing else', (t) => {
  const grant = decideAccess(makeRequest(trust), lobby)
  t.like(grant, { rule: 'lobby', name: 'alice', nkey, nonce: 'nonce-of-a-request' })
  t.is(grant.role.name, 'member')
  t.is(grant.ticketId, undefined)
  t.is(grant.issuedAtSeconds, nowSeconds)
  t.is(grant.expiresAtSeconds, nowSeconds + 3600)
})

test('with an invite the role of the ticket is given, and the ticket is remembered', (t) => {
  const { bytes, ticketId } = makeInvited(trust)
  const grant = decideAccess(bytes, invite)
  t.like(grant, { rule: 'invite', name: 'alice', nkey, ticketId })
  t.is(grant.role.name, 'moderator')
  t.is(grant.expiresAtSeconds, nowSeconds + 900)
})

test('what is granted and signed leads to the operator, and carries the ticket as a tag', (t) => {
  const { bytes, ticketId } = makeInvited(trust)
  const key = trust.keys.get('moderator.invite.ams3') as NkeyPair<'account'>
  const user = issueCredential(decideAccess(bytes, invite), { key, account: trust.account })
  const chain = verifyChain(
    { userJwt: user.text, accountJwt: trust.account.text },
    { operator: trust.operator, nowSeconds },
  )
  t.is(chain.scope.role, 'moderator.invite.ams3')
  t.deepEqual(chain.user.claims.nats.tags, [`ticket:${ticketId.toLowerCase()}`])
  t.deepEqual(Object.keys(chain.user.claims.nats).toSorted(), [
    'issuer_account',
    'tags',
    'type',
    'version',
  ])
})

for (const seconds of [-proofAgeSecondsMax, proofAgeSecondsMax])
  test(`a request that is ${seconds} s old by this clock lives from its own time on`, (t) => {
    const time = nowMs - seconds * 1000
    const grant = decideAccess(makeRequest(trust, { claims: { time } }), lobby)
    t.is(grant.expiresAtSeconds, Math.floor(time / 1000) + 3600)
  })

test('a replay ends no later than what was given first', (t) => {
  const bytes = makeRequest(trust)
  const [first, again] = [0, 59_000].map((later) =>
    decideAccess(bytes, trust.context('lobby', { nowMs: nowMs + later })),
  )
  t.deepEqual(again, first)
})

const other = makePair('user')
const proofWrong = `proof is not signed by its nkey: ${nkey}`
const clock = `this clock says ${formatTime(nowMs)}`
const staleAt = (timeMs: number): string =>
  `proof says ${formatTime(timeMs)}, ${clock}: 60 s apart at most`

type Case = [
  what: string,
  bytes: Uint8Array,
  context: DecisionContext,
  code: string,
  message: string,
]
const cases: Case[] = [
  [
    'an unknown role',
    makeRequest(trust, { claims: { role: 'king' } }),
    lobby,
    'ERR_ROLE_UNKNOWN',
    "unknown role: 'king'",
  ],
  [
    'a name of Object for a role',
    makeRequest(trust, { claims: { role: '__proto__' } }),
    lobby,
    'ERR_ROLE_UNKNOWN',
    "unknown role: '__proto__'",
  ],
  [
    'a role without that door',
    makeRequest(trust, { claims: { role: 'moderator' } }),
    lobby,
    'ERR_ROLE_DOOR',
    'role moderator is not given at this door: lobby',
  ],
  [
    'a proof for another operator',
    makeRequest(trust, { claims: { audience: foreign.operator.claims.sub } }),
    lobby,
    'ERR_PROOF_AUDIENCE',
    "proof is not for this operator's door: lobby",
  ],
  [
    'a proof for another door',
    makeRequest(trust, { claims: { door: 'invite' } }),
    lobby,
    'ERR_PROOF_AUDIENCE',
    "proof is not for this operator's door: lobby",
  ],
  [
    'a stale proof',
    makeRequest(trust, { claims: { time: nowMs - 61_000 } }),
    lobby,
    'ERR_PROOF_STALE',
    staleAt(nowMs - 61_000),
  ],
  [
    'a proof that is stale by a millisecond',
    makeRequest(trust, { claims: { time: nowMs - 60_001 } }),
    lobby,
    'ERR_PROOF_STALE',
    staleAt(nowMs - 60_001),
  ],
  [
    'a proof of the future',
    makeRequest(trust, { claims: { time: nowMs + 61_000 } }),
    lobby,
    'ERR_PROOF_STALE',
    staleAt(nowMs + 61_000),
  ],
  [
    'a proof of the year 287,396',
    makeRequest(trust, { claims: { time: Number.MAX_SAFE_INTEGER } }),
    lobby,
    'ERR_PROOF_STALE',
    staleAt(Number.MAX_SAFE_INTEGER),
  ],
  [
    'a proof by another key',
    makeRequest(trust, { pair: other }),
    lobby,
    'ERR_PROOF_WRONG',
    proofWrong,
  ],
  [
    'a proof for a renewal',
    makeRequest(trust, { purpose: 'renewal' }),
    lobby,
    'ERR_PROOF_WRONG',
    proofWrong,
  ],
  [
    'a proof for an invite',
    makeRequest(trust, { purpose: 'invite' }),
    lobby,
    'ERR_PROOF_WRONG',
    proofWrong,
  ],
  [
    'a denied nkey',
    makeRequest(trust),
    trust.context('lobby', { denyList: trust.denyList({ nkeys: [nkey] }) }),
    'ERR_NKEY_DENIED',
    `nkey is denied: ${nkey}`,
  ],
  [
    'a denied name',
    makeRequest(trust),
    trust.context('lobby', { denyList: trust.denyList({ names: ['alice'] }) }),
    'ERR_NAME_DENIED',
    "name is denied: 'alice'",
  ],
  [
    'a denied name in other letters',
    makeRequest(trust, { claims: { name: 'ＡLICE' } }),
    trust.context('lobby', { denyList: trust.denyList({ names: ['Alice'] }) }),
    'ERR_NAME_DENIED',
    "name is denied: 'ＡLICE'",
  ],
  [
    'a credential at the lobby',
    makeRequest(trust, { fields: { jwt: 'x' } }),
    lobby,
    'ERR_REQUEST_ILLEGAL',
    'illegal request: jwt belongs to a renewal',
  ],
  [
    'an invite at the lobby',
    makeRequest(trust, { fields: { ticket: 'x' } }),
    lobby,
    'ERR_REQUEST_ILLEGAL',
    'illegal request: a ticket belongs to an invite',
  ],
  [
    'no invite',
    makeRequest(trust, { claims: { door: 'invite', role: 'moderator' } }),
    invite,
    'ERR_INVITE_MISSING',
    'no invite: ticket and ticketSignature are needed here',
  ],
  [
    'an invite without its signature',
    makeInvited(trust, { fields: { ticketSignature: undefined } }).bytes,
    invite,
    'ERR_INVITE_MISSING',
    'no invite: ticket and ticketSignature are needed here',
  ],
  [
    'an invite that is no JWT',
    makeInvited(trust, { fields: { ticket: 'x.y.z' } }).bytes,
    invite,
    'ERR_INVITE_ILLEGAL',
    'illegal invite: not a ticket',
  ],
  [
    'an account for an invite',
    makeInvited(trust, { fields: { ticket: trust.account.text.slice(0, 2000) } }).bytes,
    invite,
    'ERR_INVITE_ILLEGAL',
    'illegal invite: not a ticket',
  ],
  [
    'a deny list for an invite',
    makeInvited(trust, { fields: { ticket: trust.denyList().text } }).bytes,
    invite,
    'ERR_INVITE_ILLEGAL',
    'illegal invite: not a ticket',
  ],
  [
    'an invite at the right door for a proof of the other',
    makeInvited(trust, { claims: { door: 'lobby' } }).bytes,
    invite,
    'ERR_PROOF_AUDIENCE',
    "proof is not for this operator's door: invite",
  ],
  [
    'an invite for a role that has no such door',
    makeInvited(trust, { claims: { role: 'member' }, ticket: { role: 'member' } }).bytes,
    invite,
    'ERR_ROLE_DOOR',
    'role member is not given at this door: invite',
  ],
  [
    'an invite and a proof by another key',
    makeInvited(trust, { pair: other }).bytes,
    invite,
    'ERR_PROOF_WRONG',
    proofWrong,
  ],
]

for (const [what, bytes, context, code, message] of cases)
  test(`refuses ${what}`, (t) => {
    t.throws(() => decideAccess(bytes, context), { instanceOf: Refusal, code, message })
  })

const stranger = makePair('operator')
const byStranger = makeInvited(trust, { signer: stranger })
const expired = makeInvited(trust, { ticket: { expiresAtSeconds: nowSeconds } })
const stolen = makeInvited(trust, { inviteKey: other })
const thief = makeInvited(trust, {
  claims: { nkey: other.publicKey },
  pair: other,
  inviteKey: other,
})
const otherRole = makeInvited(trust, { ticket: { role: 'member' } })
const otherName = makeInvited(trust, { ticket: { name: 'Alice' } })
const good = makeInvited(trust)

for (const [what, { bytes, ticketId }, denyList, code, message] of [
  [
    'signed by a stranger',
    byStranger,
    {},
    'ERR_INVITE_ILLEGAL',
    `illegal invite ID: signed by a stranger: ${stranger.publicKey}`,
  ],
  [
    'that is over',
    expired,
    {},
    'ERR_INVITE_EXPIRED',
    `invite ID: ended ${formatTime(nowSeconds * 1000)}, ${clock}`,
  ],
  [
    'whose key did not sign',
    stolen,
    {},
    'ERR_INVITE_PROOF_WRONG',
    'invite ID: its key did not sign this request',
  ],
  [
    "in a thief's hand, with the thief's keys",
    thief,
    {},
    'ERR_INVITE_PROOF_WRONG',
    'invite ID: its key did not sign this request',
  ],
  [
    'for another role',
    otherRole,
    {},
    'ERR_INVITE_OTHER',
    'invite ID: for another role or name: moderator',
  ],
  [
    'for another name',
    otherName,
    {},
    'ERR_INVITE_OTHER',
    'invite ID: for another role or name: moderator',
  ],
  ['that was denied', good, { tickets: [good.ticketId] }, 'ERR_INVITE_DENIED', 'invite ID: denied'],
] as const)
  test(`refuses an invite ${what}`, (t) => {
    const context = trust.context('invite', { denyList: trust.denyList(denyList) })
    t.throws(() => decideAccess(bytes, context), {
      instanceOf: Refusal,
      code,
      message: message.replace('ID', ticketId),
    })
  })

test('an invite is good until its last second', (t) => {
  const { bytes } = makeInvited(trust, { ticket: { expiresAtSeconds: nowSeconds + 1 } })
  t.is(decideAccess(bytes, invite).rule, 'invite')
})

test('the key of an invite is not the key of the credential', (t) => {
  const { bytes } = makeInvited(trust)
  t.not(decideAccess(bytes, invite).nkey, inviteKey.publicKey)
})
