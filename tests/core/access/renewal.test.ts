import test from 'ava'
import { Refusal } from '../../../core/errors.ts'
import { formatTime } from '../../../core/time.ts'
import type { DecisionContext } from '../../../core/access/decision.ts'
import { decideRenewal, ticketTags } from '../../../core/access/renewal.ts'
import {
  alice,
  makeCredential,
  makePair,
  makeRequest,
  makeTrust,
  nowMs,
  nowSeconds,
  type RequestChanges,
} from './trust.ts'
import { edited, good } from '../archipelago/example.ts'

const trust = makeTrust()
const { publicKey: nkey } = alice.pair
const ticketId = 'ABCDEFGH234567'
const tags = ticketTags(ticketId) ?? []
const lobby = trust.context('lobby')
const invite = trust.context('invite')

function makeRenewal(jwt: string | undefined, changes: RequestChanges = {}): Uint8Array {
  return makeRequest(trust, { purpose: 'renewal', ...changes, fields: { jwt } })
}

const member = makeCredential(trust, 'member.lobby.ams3')
const moderator = makeCredential(trust, 'moderator.invite.ams3', { tags })
const asModerator = { claims: { door: 'invite', role: 'moderator' } }

test('a member gets the next credential for the same key, name and role', (t) => {
  const grant = decideRenewal(makeRenewal(member), lobby, nkey)
  t.like(grant, { rule: 'renewal', name: 'alice', nkey })
  t.is(grant.role.name, 'member')
  t.is(grant.expiresAtSeconds, nowSeconds + 3600)
  t.is(grant.renewed?.issuer, trust.keys.get('member.lobby.ams3')?.publicKey)
})

test('who came with an invite renews without it, and its ticket goes along', (t) => {
  const grant = decideRenewal(makeRenewal(moderator, asModerator), invite, nkey)
  t.is(grant.role.name, 'moderator')
  t.is(grant.ticketId, ticketId)
})

test('a credential is renewed until its last second', (t) => {
  const last = makeCredential(trust, 'member.lobby.ams3', { expiresAtSeconds: nowSeconds + 1 })
  t.is(decideRenewal(makeRenewal(last), lobby, nkey).rule, 'renewal')
})

const other = makePair('user')
const foreign = makeTrust()
const over = makeCredential(trust, 'member.lobby.ams3', { expiresAtSeconds: nowSeconds })
const bobs = makeCredential(trust, 'member.lobby.ams3', { publicKey: other.publicKey })
const bob = makeCredential(trust, 'member.lobby.ams3', { name: 'bob' })
const endless = makeCredential(trust, 'member.lobby.ams3', { expiresAtSeconds: undefined as never })
const untagged = makeCredential(trust, 'moderator.invite.ams3')
const leafnode = makeCredential(trust, 'leafnode.ams3')
const service = makeCredential(trust, 'lobby')
const ours = 'renewal: the credential is not ours'
const not = (role: string): string =>
  `renewal: the credential is not of this role, name and door: ${role}`
const connectionWrong = `proof is for another key than the connection's: ${nkey}`
const clock = `this clock says ${formatTime(nowMs)}`
const over60 = `proof says ${formatTime(nowMs - 61_000)}, ${clock}: 60 s apart at most`

const moved = makeTrust({
  yaml: edited('accounts:\n', 'accounts:\n  OTHER:\n    connectionsMax: 10\n'),
}).archipelago.roles.map((role) => ({ ...role, account: 'OTHER' }))
const closed = trust.archipelago.roles.map((role) => ({ ...role, doors: [] }))
const withRoles = (roles: typeof moved): DecisionContext =>
  trust.context('lobby', { archipelago: { ...trust.archipelago, roles } })
const denying = (denied: object): DecisionContext =>
  trust.context('invite', { denyList: trust.denyList(denied) })

type Case = [
  what: string,
  bytes: Uint8Array,
  context: DecisionContext,
  key: string | undefined,
  code: string,
  message: string,
]
const cases: Case[] = [
  [
    'without a credential',
    makeRenewal(undefined),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    'renewal: the current credential is missing',
  ],
  [
    'with what is no user JWT',
    makeRenewal('x.y.z'),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    'renewal: the credential is not a user JWT',
  ],
  [
    'with an account JWT',
    makeRenewal(trust.denyList().text),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    'renewal: the credential is not a user JWT',
  ],
  [
    "over another's connection",
    makeRenewal(member),
    lobby,
    other.publicKey,
    'ERR_PROOF_OTHER_KEY',
    connectionWrong,
  ],
  [
    'over a connection of nobody',
    makeRenewal(member),
    lobby,
    undefined,
    'ERR_PROOF_OTHER_KEY',
    connectionWrong,
  ],
  [
    "with another's credential",
    makeRenewal(bobs),
    lobby,
    nkey,
    'ERR_PROOF_OTHER_KEY',
    `proof is for another key than the credential's: ${nkey}`,
  ],
  [
    'with a credential of another name',
    makeRenewal(bob),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    not('member'),
  ],
  [
    'with a credential that is over',
    makeRenewal(over),
    lobby,
    nkey,
    'ERR_RENEWAL_EXPIRED',
    `renewal: the credential of ${nkey} ended ${formatTime(nowSeconds * 1000)}, ${clock}`,
  ],
  [
    'with a credential without an end',
    makeRenewal(endless),
    lobby,
    nkey,
    'ERR_RENEWAL_EXPIRED',
    `renewal: the credential of ${nkey} has no end`,
  ],
  [
    'with a credential of another operator',
    makeRenewal(makeCredential(foreign, 'member.lobby.ams3')),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    `renewal: unknown account: ${foreign.account.claims.sub}`,
  ],
  [
    'with a credential by an unpublished key',
    makeRenewal(makeCredential({ ...trust, keys: foreign.keys }, 'member.lobby.ams3')),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    ours,
  ],
  [
    "with a leafnode's credential",
    makeRenewal(leafnode),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    not('member'),
  ],
  [
    "with the lobby's credential",
    makeRenewal(service),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    not('member'),
  ],
  [
    'of a member to a moderator',
    makeRenewal(member, asModerator),
    invite,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    not('moderator'),
  ],
  [
    'of a moderator at the lobby',
    makeRenewal(moderator),
    lobby,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    not('member'),
  ],
  [
    'of an invited without a ticket',
    makeRenewal(untagged, asModerator),
    invite,
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    'renewal: the credential names no invite',
  ],
  [
    'of an invited whose ticket was denied',
    makeRenewal(moderator, asModerator),
    denying({ tickets: [ticketId] }),
    nkey,
    'ERR_INVITE_DENIED',
    `invite ${ticketId}: denied`,
  ],
  [
    'of a denied nkey',
    makeRenewal(moderator, asModerator),
    denying({ nkeys: [nkey] }),
    nkey,
    'ERR_NKEY_DENIED',
    `nkey is denied: ${nkey}`,
  ],
  [
    'of a denied name',
    makeRenewal(moderator, asModerator),
    denying({ names: ['ALICE'] }),
    nkey,
    'ERR_NAME_DENIED',
    "name is denied: 'alice'",
  ],
  [
    'of a role that lost its door',
    makeRenewal(member),
    withRoles(closed),
    nkey,
    'ERR_ROLE_DOOR',
    'role member is not given at this door: lobby',
  ],
  [
    'of a role that moved to another account',
    makeRenewal(member),
    withRoles(moved),
    nkey,
    'ERR_RENEWAL_ILLEGAL',
    not('member'),
  ],
  [
    'of a role that is no more',
    makeRenewal(member, { claims: { role: 'king' } }),
    lobby,
    nkey,
    'ERR_ROLE_UNKNOWN',
    "unknown role: 'king'",
  ],
  [
    'with a stale proof',
    makeRenewal(member, { claims: { time: nowMs - 61_000 } }),
    lobby,
    nkey,
    'ERR_PROOF_STALE',
    over60,
  ],
  [
    "with a newcomer's proof",
    makeRenewal(member, { purpose: 'access' }),
    lobby,
    nkey,
    'ERR_PROOF_WRONG',
    `proof is not signed by its nkey: ${nkey}`,
  ],
  [
    'with a proof by another key',
    makeRenewal(member, { pair: other }),
    lobby,
    nkey,
    'ERR_PROOF_WRONG',
    `proof is not signed by its nkey: ${nkey}`,
  ],
]

for (const [what, bytes, context, key, code, message] of cases)
  test(`refuses a renewal ${what}`, (t) => {
    t.throws(() => decideRenewal(bytes, context, key), { instanceOf: Refusal, code, message })
  })

for (const revoked of [nkey, '*'])
  test(`refuses to renew what is revoked by ${revoked === '*' ? 'time alone' : 'nkey'}`, (t) => {
    const revoking = (time: number): DecisionContext => {
      const { nats, ...claims } = trust.account.claims
      const revocations = { [revoked]: time }
      const account = { ...trust.account, claims: { ...claims, nats: { ...nats, revocations } } }
      return trust.context('lobby', { accounts: new Map([[claims.sub, account]]) })
    }
    const bytes = makeRenewal(member)
    const message = `renewal: the credential of ${nkey} is revoked`
    const issued = nowSeconds - 600
    for (const time of [issued, Number.MAX_SAFE_INTEGER])
      t.throws(() => decideRenewal(bytes, revoking(time), nkey), {
        code: 'ERR_NKEY_DENIED',
        message,
      })
    t.notThrows(() => decideRenewal(bytes, revoking(issued - 1), nkey))
  })

test('roles of the example have the doors that these tests go by', (t) => {
  t.regex(good, /member:[^]*doors: \[lobby\][^]*moderator:[^]*doors: \[invite\]/)
})
