import test from 'ava'
import {
  isOf,
  isOfIdentity,
  judgeConnection,
  type LiveConnection,
} from '../../../core/access/live-connection.ts'
import { signAccount } from '../../../core/trust/account.ts'
import type { DeclaredTrust } from '../../../core/trust/declared-state.ts'
import { signDenyList, type Denied } from '../../../core/trust/deny-list.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { signUser, type User } from '../../../core/trust/user.ts'
import {
  accountOf,
  accounts,
  archipelago,
  nowSeconds,
  operator,
  pairOf,
  signer,
} from '../trust/example.ts'

const alice = pairOf('user', 'alice')
const hour = 3600

function connect(
  scope: string,
  {
    account = 'KUBECON',
    openSeconds = 1,
    ...user
  }: Partial<Omit<User, 'account'>> & { account?: string; openSeconds?: number } = {},
): LiveConnection {
  const by = pairOf('account', scope)
  const jwt = signUser(by, {
    publicKey: alice.publicKey,
    name: 'alice',
    issuedAtSeconds: nowSeconds,
    expiresAtSeconds: nowSeconds + hour,
    ...user,
    account: accountOf(account).claims.sub as Nkey<'account'>,
  })
  return {
    server: { name: 'ams3-0', id: 'N' },
    cid: 7,
    account: accountOf(account).claims.sub,
    nkey: jwt.claims.sub,
    issuer: by.publicKey,
    claims: jwt.claims,
    openSeconds,
  }
}

function trustOf({
  denied = {},
  revoked = [],
}: { denied?: Partial<Denied>; revoked?: string[] } = {}): DeclaredTrust {
  const subject = operator.claims.sub as Nkey<'operator'>
  const list = { operator: subject, previous: undefined, added: denied, nowSeconds }
  const withRevoked = accounts.map((account) => {
    const { name = '', sub, nats } = account.claims
    const revocations = Object.fromEntries(revoked.map((nkey) => [nkey, 1]))
    const body = name === 'KUBECON' ? { ...nats, revocations } : nats
    const declared = { name, publicKey: sub as Nkey<'account'>, body }
    return signAccount(signer, declared, { nowSeconds, previous: account })
  })
  return { operator, accounts: withRevoked, denyList: signDenyList(signer, list) }
}

function judge(connection: LiveConnection, trust = trustOf()) {
  return judgeConnection(connection, { archipelago, trust, nowSeconds })
}

const member = 'member.lobby.ams3'
for (const [what, connection] of [
  ['a member', connect(member)],
  [
    'a member whose clock is ahead',
    connect(member, {
      issuedAtSeconds: nowSeconds + 120,
      expiresAtSeconds: nowSeconds + 120 + hour,
    }),
  ],
  [
    'a member whose credential just ended: the server will see to it',
    connect(member, { issuedAtSeconds: nowSeconds - hour, expiresAtSeconds: nowSeconds }),
  ],
  [
    'a leafnode',
    connect('leafnode.ams3', { account: 'ACCESS', expiresAtSeconds: nowSeconds + 24 * hour }),
  ],
  [
    'the pusher',
    connect('pusher', { account: 'SYS', name: 'pusher', expiresAtSeconds: nowSeconds + 24 * hour }),
  ],
  [
    'a newcomer in the lobby',
    connect('lobby', {
      account: 'LOBBY',
      openSeconds: 30,
      expiresAtSeconds: nowSeconds + 90 * 24 * hour,
    }),
  ],
] as const)
  test(`${what} may stay`, (t) => t.is(judge(connection), undefined))

const unreadable: LiveConnection = { ...connect(member), claims: undefined }
const endless = connect(member)
const { exp: _, ...noEnd } = endless.claims ?? {}
for (const [what, connection, rule, reason] of [
  [
    'of an account that is not declared',
    { ...connect(member), account: 'A' },
    'stranger',
    'account A is not declared',
  ],
  [
    'of a key that is withdrawn',
    { ...connect(member), issuer: 'A' },
    'stranger',
    'A signs nothing in its account',
  ],
  [
    'with a credential that cannot be read',
    unreadable,
    'stranger',
    'its credential cannot be read',
  ],
  [
    'without an end',
    { ...endless, claims: noEnd } as LiveConnection,
    'outlives-role',
    'its credential has no end',
  ],
  [
    'for one second too long',
    connect(member, { expiresAtSeconds: nowSeconds + hour + 1 }),
    'outlives-role',
    'its credential lives 3601 s, member.lobby.ams3 at most 3600 s',
  ],
  [
    'from the future',
    connect(member, { issuedAtSeconds: nowSeconds + 121, expiresAtSeconds: nowSeconds + 122 }),
    'outlives-role',
    'its credential is from 121 s after now',
  ],
  [
    'of a leafnode for too long',
    connect('leafnode.ams3', { account: 'ACCESS', expiresAtSeconds: nowSeconds + 25 * hour }),
    'outlives-role',
    'its credential lives 90000 s, leafnode.ams3 at most 86400 s',
  ],
  [
    'in the lobby for too long',
    connect('lobby', { account: 'LOBBY', openSeconds: 31 }),
    'stays-in-lobby',
    'in the lobby for 31 s, 30 at most',
  ],
] as const)
  test(`a connection ${what} has to end`, (t) => t.deepEqual(judge(connection), { rule, reason }))

for (const [what, trust, reason] of [
  [
    'a revoked key, whatever its credential says',
    { revoked: [alice.publicKey] },
    `${alice.publicKey} is revoked`,
  ],
  ['a denied key', { denied: { nkeys: [alice.publicKey] } }, `${alice.publicKey} is denied`],
  ['a denied name', { denied: { names: ['ＡLICE'] } }, "the name 'alice' or its invite is denied"],
] as const)
  test(`${what} has to end`, (t) => {
    t.deepEqual(judge(connect(member), trustOf(trust as object)), { rule: 'denied', reason })
  })

test('who came by a denied invite has to end', (t) => {
  const trust = trustOf({ denied: { tickets: ['TICKET'] } })
  const guest = connect('moderator.invite.ams3', {
    tags: ['ticket:ticket'],
    expiresAtSeconds: nowSeconds + 60,
  })
  t.is(judge(guest, trust)?.rule, 'denied')
  t.is(
    judge(
      {
        ...guest,
        claims: { ...guest.claims, nats: { ...guest.claims?.nats, tags: 'ticket:ticket' } },
      } as never,
      trust,
    ),
    undefined,
  )
})

test("a denied name is a person's: the operator's own users stay", (t) => {
  const pusher = connect('pusher', { account: 'SYS', name: 'pusher' })
  t.is(judge(pusher, trustOf({ denied: { names: ['pusher'] } })), undefined)
})

test('nobody is found by no name and no invite', (t) => {
  t.false(isOf(connect(member), { names: [], tickets: [] }))
  t.false(isOf(unreadable, { names: ['alice'], tickets: [] }))
})

const billing = 'spiffe://ams3.example/workload/billing'
test('a withdrawn identity is cut, by its certificate and by its credential, in any account', (t) => {
  const trust = trustOf({ denied: { identities: [billing] } })
  const reason = `the identity '${billing}' is withdrawn`
  const byCertificate = { ...connect(member), identity: billing }
  t.deepEqual(judge(byCertificate, trust), { rule: 'denied', reason })
  t.deepEqual(judge(connect(member, { name: billing }), trust), { rule: 'denied', reason })
  t.is(judge({ ...connect(member), identity: `${billing}2` }, trust), undefined)
  t.false(isOfIdentity(byCertificate, []))
})

/** The role member, as a workload comes to it. */
function trustOfWorkloads(): DeclaredTrust {
  const trust = trustOf()
  const withDoor = trust.accounts.map((account) => {
    const { name = '', sub, nats } = account.claims
    const [scope] = nats.signing_keys
    if (name !== 'KUBECON' || scope === undefined) return account
    const role = 'member.identity.ams3'
    const key = { ...scope, role, key: pairOf('account', role).publicKey }
    const body = { ...nats, signing_keys: [...nats.signing_keys, key] }
    const declared = { name, publicKey: sub as Nkey<'account'>, body }
    return signAccount(signer, declared, { nowSeconds, previous: account })
  })
  return { ...trust, accounts: withDoor }
}

const exporter = 'spiffe://ams3.archipelago.example/workload/exporter'
const thief = 'spiffe://sfo2.archipelago.example/workload/thief'
for (const [what, scope, name, identity, rule] of [
  ['its own certificate', 'member.identity.ams3', exporter, exporter, undefined],
  ["another's certificate", 'member.identity.ams3', exporter, thief, 'other-identity'],
  ['a certificate that is not on record', 'member.identity.ams3', exporter, undefined, undefined],
  ['a certificate, by a token', 'member.identity.ams3', 'builds|repo', thief, undefined],
  [
    'a certificate of ours, by an identity that is not',
    'member.identity.ams3',
    'spiffe://mesh.example/orders',
    thief,
    undefined,
  ],
  ['a name of its own choice', member, exporter, thief, undefined],
] as const)
  test(`a workload with ${what} ${rule === undefined ? 'stays' : 'has to end'}`, (t) => {
    const connection = { ...connect(scope, { name }), ...(identity && { identity }) }
    const cut = judge(connection, trustOfWorkloads())
    t.is(cut?.rule, rule)
    if (cut !== undefined)
      t.is(cut.reason, `its credential is for '${exporter}', its certificate for '${thief}'`)
  })

test('a workload stays until its certificate ends, and a leafnode beyond that', (t) => {
  const certifiedUntilMs = nowSeconds * 1000
  const workload = { ...connect('member.identity.ams3', { name: 'builds|repo' }), identity: thief }
  const trust = trustOfWorkloads()
  t.is(judge({ ...workload, certifiedUntilMs: certifiedUntilMs + 1 }, trust), undefined)
  t.deepEqual(judge({ ...workload, certifiedUntilMs }, trust), {
    rule: 'outlives-certificate',
    reason: `its certificate ended ${new Date(certifiedUntilMs).toISOString()}`,
  })
  const leafnode = connect('leafnode.ams3', { account: 'ACCESS' })
  t.is(judge({ ...leafnode, certifiedUntilMs }, trust), undefined)
})
