import type { Invite } from '../core/access/invite-file.ts'
import { parseName } from '../core/access/name.ts'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'
import { signTicket } from '../core/trust/invite.ts'
import { makeNkeyPair } from './key-file.ts'
import { operatorSigner, type OperatorHome } from './operator.ts'

/** A key made for one person and the operator's word for it; refuses a role without that door. */
export function issueInvite(
  { store, operator }: Pick<OperatorHome, 'store' | 'operator'>,
  { roles }: Pick<Archipelago, 'roles'>,
  wanted: { role: string; name: string; nowSeconds: number; lifetimeSeconds: number },
): Invite {
  const { nowSeconds, lifetimeSeconds } = wanted
  const role = roles.find(({ name }) => name === wanted.role)
  if (role === undefined)
    throw new Refusal('ERR_ROLE_UNKNOWN', `unknown role: ${quote(wanted.role)}`)
  if (!role.doors.includes('invite'))
    throw new Refusal('ERR_ROLE_DOOR', `role ${role.name} has no door for invites`)
  const key = makeNkeyPair('user')
  const ticket = signTicket(operatorSigner(store, operator), {
    key: key.publicKey,
    role: role.name,
    name: parseName(wanted.name),
    nowSeconds,
    expiresAtSeconds: nowSeconds + lifetimeSeconds,
  })
  return { ticket, key }
}
