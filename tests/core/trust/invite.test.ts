import test from 'ava'
import { formatTime } from '../../../core/time.ts'
import { parseTicket, signTicket } from '../../../core/trust/invite.ts'
import { accountOf, identity, nowSeconds, operator, pairOf, signer, stranger } from './example.ts'

const key = pairOf('user', 'invite').publicKey
const expiresAtSeconds = nowSeconds + 48 * 3600
const sign = (by = signer) =>
  signTicket(by, { key, role: 'moderator', name: 'carol', nowSeconds, expiresAtSeconds })
const ticket = sign()

test('a ticket comes back with its key, role and name', (t) => {
  t.deepEqual(parseTicket(ticket.text, operator, nowSeconds), ticket)
  t.like(ticket.claims, { sub: key, name: 'carol', nats: { role: 'moderator' } })
})

test('a ticket is good until its last second is over', (t) => {
  t.notThrows(() => parseTicket(ticket.text, operator, expiresAtSeconds - 1))
  t.throws(() => parseTicket(ticket.text, operator, expiresAtSeconds), {
    code: 'ERR_INVITE_EXPIRED',
    message: `invite ${ticket.claims.jti}: ended ${formatTime(expiresAtSeconds * 1000)}, this clock says ${formatTime(expiresAtSeconds * 1000)}`,
  })
})

for (const [what, by] of [
  ['a stranger', stranger],
  ["the operator's identity key", identity],
] as const)
  test(`a ticket by ${what} is refused`, (t) => {
    const { text, claims } = sign(by)
    t.throws(() => parseTicket(text, operator, nowSeconds), {
      code: 'ERR_INVITE_ILLEGAL',
      message: `illegal invite ${claims.jti}: signed by a stranger: ${by.publicKey}`,
    })
  })

for (const [what, text] of [
  ['nothing', ''],
  ['half a ticket', ticket.text.slice(0, -20)],
  ['another JWT of this operator', accountOf('SYS').text],
] as const)
  test(`${what} is no ticket`, (t) => {
    t.throws(() => parseTicket(text, operator, nowSeconds), {
      code: 'ERR_INVITE_ILLEGAL',
      message: 'illegal invite: not a ticket',
    })
  })
