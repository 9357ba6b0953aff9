// An invite: a ticket signed by the operator over the public half of a key made for it. The seed is
// in the invite's file and never travels: a request carries the ticket and a signature by that key.
import { Refusal } from '../errors.ts'
import { formatTime, thisClock } from '../time.ts'
import { decodeJwt, encodeJwt, type Jwt, type JwtBody } from './jwt.ts'
import type { Nkey, NkeyPair } from './nkey.ts'
import { isSignedByOperator, type OperatorJwt } from './operator.ts'

const type = 'archipelago-invite'

export interface TicketBody extends JwtBody {
  readonly role: string
}
/** Its `sub` is the invite's key, its `name` the one that the invited will have. */
export type Ticket = Jwt<TicketBody>

export function signTicket(
  signer: NkeyPair<'operator'>,
  invite: {
    key: Nkey<'user'>
    role: string
    name: string
    nowSeconds: number
    expiresAtSeconds: number
  },
): Ticket {
  const { key, role, name, nowSeconds, expiresAtSeconds } = invite
  const nats: TicketBody = { role, type, version: 1 }
  return encodeJwt({ iat: nowSeconds, exp: expiresAtSeconds, sub: key, name, nats }, signer)
}

/** Refuses a ticket that is malformed, not of this operator, or over; each with a code of its own. */
export function parseTicket(text: string, operator: OperatorJwt, nowSeconds: number): Ticket {
  const ticket = requireForm(text)
  const { iss, jti, exp } = ticket.claims
  if (!isSignedByOperator(ticket, operator))
    throw new Refusal('ERR_INVITE_ILLEGAL', `illegal invite ${jti}: signed by a stranger: ${iss}`)
  if (exp !== undefined && exp <= nowSeconds)
    throw new Refusal(
      'ERR_INVITE_EXPIRED',
      `invite ${jti}: ended ${formatTime(exp * 1000)}, ${thisClock(nowSeconds * 1000)}`,
    )
  return ticket
}

function requireForm(text: string): Ticket {
  try {
    return decodeJwt<TicketBody>(type, text)
  } catch (cause) {
    throw new Refusal('ERR_INVITE_ILLEGAL', 'illegal invite: not a ticket', { cause })
  }
}
