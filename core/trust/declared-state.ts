// The declarative state: what the operator has signed. What servers and functions hold follows it.
import type { AccountJwt } from './account.ts'
import type { DenyList } from './deny-list.ts'
import type { OperatorJwt } from './operator.ts'

export interface DeclaredTrust {
  readonly operator: OperatorJwt
  readonly accounts: readonly AccountJwt[]
  readonly denyList: DenyList
}

export interface Revoked {
  readonly nkeys: readonly string[]
  readonly names: readonly string[]
  /** Ids of invites' tickets. */
  readonly tickets: readonly string[]
  /** SPIFFE IDs. */
  readonly identities?: readonly string[]
  /** Names of the accounts in which the nkeys are revoked. */
  readonly accounts: readonly string[]
}

/** A certificate by which somebody is connected. */
export interface IssuedTo {
  /** A SPIFFE ID. */
  readonly identity: string
  readonly certifiedUntilMs: number
}

/** Kept where the operator's signing keys have their home; every change is on disk when it returns. */
export interface DeclaredState {
  /** As it is now: other commands change it as well. */
  read(): DeclaredTrust
  /** Revokes and denies; what was revoked and denied before is left as it is. */
  revoke(revoked: Revoked): DeclaredTrust
  /** Takes identities off the deny list. What was revoked of theirs stays revoked. */
  reinstate(identities: readonly string[]): DeclaredTrust
  /** By SHA-256 of certificates or of their keys: whom they were issued to, as far as the record is here. */
  issuedTo(digests: ReadonlySet<string>): ReadonlyMap<string, IssuedTo>
  /** Signs an account again, the same but for an `iat` above this one (Unix seconds). */
  outdate(account: string, iatSeconds: number): DeclaredTrust
}
