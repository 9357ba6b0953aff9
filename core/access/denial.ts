// The deny list as a decision asks it: in constant time, however long it grew.
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import type { DenyList } from '../trust/deny-list.ts'
import { foldName } from './name.ts'

export function requireNkeyAllowed(list: DenyList, nkey: string): void {
  if (indexOf(list).nkeys.has(nkey)) throw new Refusal('ERR_NKEY_DENIED', `nkey is denied: ${nkey}`)
}

/** Names that are one to a reader are denied as one. */
export function requireNameAllowed(list: DenyList, name: string): void {
  if (indexOf(list).names.has(foldName(name)))
    throw new Refusal('ERR_NAME_DENIED', `name is denied: ${quote(name)}`)
}

/** By the id (`jti`) of the invite's ticket; what came without an invite has none. */
export function requireTicketAllowed(list: DenyList, id: string | undefined): void {
  if (id !== undefined && indexOf(list).tickets.has(id))
    throw new Refusal('ERR_INVITE_DENIED', `invite ${id}: denied`)
}

/** By SPIFFE ID, as a certificate or a token says it. */
export function requireNotWithdrawn(list: DenyList, id: string | undefined): void {
  if (id !== undefined && indexOf(list).identities.has(id))
    throw new Refusal('ERR_IDENTITY_WITHDRAWN', `identity is withdrawn: ${quote(id)}`)
}

interface Index {
  readonly nkeys: ReadonlySet<string>
  readonly names: ReadonlySet<string>
  readonly tickets: ReadonlySet<string>
  readonly identities: ReadonlySet<string>
}
const indexes = new WeakMap<DenyList, Index>()

function indexOf(list: DenyList): Index {
  const known = indexes.get(list)
  if (known !== undefined) return known
  const { nkeys, names, tickets, identities } = list.claims.nats
  const made = {
    nkeys: new Set(nkeys),
    names: new Set(names.map(foldName)),
    tickets: new Set(tickets),
    identities: new Set(identities),
  }
  indexes.set(list, made)
  return made
}
