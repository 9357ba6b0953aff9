import test from 'ava'
import { parseTicket } from '../../core/trust/invite.ts'
import { issueInvite } from '../../store/invite.ts'
import { archipelago, nowSeconds } from '../core/trust/example.ts'
import { makeHomes, requireOperator } from './home.ts'

const wanted = { role: 'moderator', name: 'carol', nowSeconds, lifetimeSeconds: 60 }

test('an invite is signed by the operator, over a key that was made for it', (t) => {
  const home = requireOperator(makeHomes(t).bootstrap())
  const [one, other] = [
    issueInvite(home, archipelago, wanted),
    issueInvite(home, archipelago, wanted),
  ]
  const { claims } = parseTicket(one.ticket.text, home.operator, nowSeconds)
  t.like(claims, {
    sub: one.key.publicKey,
    name: 'carol',
    exp: nowSeconds + 60,
    nats: { role: 'moderator' },
  })
  t.not(one.key.publicKey, other.key.publicKey)
})

for (const [what, changed, code, message] of [
  [
    'a role without that door',
    { role: 'member' },
    'ERR_ROLE_DOOR',
    'role member has no door for invites',
  ],
  ['an unknown role', { role: 'captain' }, 'ERR_ROLE_UNKNOWN', "unknown role: 'captain'"],
  ['no name', { name: '' }, 'ERR_NAME_MISSING', 'name is missing'],
  ['a name with a line break', { name: 'a\nb' }, 'ERR_NAME_ILLEGAL', /^illegal name: /],
] as const)
  test(`an invite to ${what} is refused`, (t) => {
    const home = requireOperator(makeHomes(t).bootstrap())
    t.throws(() => issueInvite(home, archipelago, { ...wanted, ...changed }), { code, message })
  })
