import test from 'ava'
import { formatInviteFile, parseInviteFile } from '../../../core/access/invite-file.ts'
import { signTicket } from '../../../core/trust/invite.ts'
import { nowSeconds, operator, pairOf, signer, stranger } from '../trust/example.ts'

const key = pairOf('user', 'invite')
const sign = (by = signer) =>
  signTicket(by, {
    key: key.publicKey,
    role: 'moderator',
    name: 'carol',
    nowSeconds,
    expiresAtSeconds: nowSeconds + 60,
  })
const ticket = sign()
const good = formatInviteFile('archipelago', { ticket, key })
const parse = (text: string, atSeconds = nowSeconds) =>
  parseInviteFile(text, { operator, nowSeconds: atSeconds })

test('an invite comes back', (t) => {
  const invite = parse(good)
  t.deepEqual(invite.ticket, ticket)
  t.is(invite.key.seed, key.seed)
})

const file = JSON.parse(good) as Record<string, unknown>
const other = pairOf('user', 'other')
for (const [what, value, message] of [
  ['no ticket', { ...file, ticket: undefined }, /^illegal invite file: ticket: /],
  ['another version', { ...file, version: 2 }, /^illegal invite file: version: /],
  ['an unknown field', { ...file, role: 'admin' }, /^illegal invite file: .*role/],
  [
    'the seed of another key',
    { ...file, seed: other.seed },
    `illegal invite file: seed is not of ${key.publicKey}`,
  ],
  ['a spoilt ticket', { ...file, ticket: 'a.b.c' }, 'illegal invite: not a ticket'],
] as const)
  test(`${what} is refused, and no seed is repeated`, (t) => {
    const error = t.throws(() => parse(JSON.stringify(value)), {
      code: 'ERR_INVITE_ILLEGAL',
      message,
    })
    t.notRegex(error?.message ?? '', /SU[A-Z2-7]{56}/)
  })

test('what is not JSON is refused', (t) => {
  t.throws(() => parse('{'), {
    code: 'ERR_INVITE_ILLEGAL',
    message: 'illegal invite file: not JSON',
  })
})

test('an invite that is over, or of another operator, is refused before anybody is asked', (t) => {
  t.throws(() => parse(good, nowSeconds + 60), { code: 'ERR_INVITE_EXPIRED' })
  const foreign = formatInviteFile('archipelago', { ticket: sign(stranger), key })
  t.throws(() => parse(foreign), {
    code: 'ERR_INVITE_ILLEGAL',
    message: new RegExp(`signed by a stranger: ${stranger.publicKey}$`),
  })
})
