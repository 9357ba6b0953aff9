// What an invited person is given: a secret, for it holds the seed of the invite's key.
import * as z from 'zod'
import { Refusal } from '../errors.ts'
import { parseJson } from '../parse-json.ts'
import { parseTicket, type Ticket } from '../trust/invite.ts'
import { parseSeed, type NkeyPair } from '../trust/nkey.ts'
import type { OperatorJwt } from '../trust/operator.ts'

const shape = z.strictObject({
  version: z.literal(1),
  network: z.string(),
  ticket: z.string(),
  seed: z.string(),
})

export interface Invite {
  readonly ticket: Ticket
  readonly key: NkeyPair<'user'>
}

export function formatInviteFile(network: string, { ticket, key }: Invite): string {
  const file: z.infer<typeof shape> = { version: 1, network, ticket: ticket.text, seed: key.seed }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

/** Refuses a file that is not whole, of another operator, over, or whose seed is not the ticket's. */
export function parseInviteFile(
  text: string,
  { operator, nowSeconds }: { operator: OperatorJwt; nowSeconds: number },
): Invite {
  const data = parseJson(text, shape, { what: 'invite file', code: 'ERR_INVITE_ILLEGAL' })
  const ticket = parseTicket(data.ticket, operator, nowSeconds)
  const key = parseSeed('user', data.seed)
  if (key.publicKey !== ticket.claims.sub)
    throw new Refusal(
      'ERR_INVITE_ILLEGAL',
      `illegal invite file: seed is not of ${ticket.claims.sub}`,
    )
  return { ticket, key }
}
