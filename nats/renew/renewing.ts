// What a program brings, and what it is told.
import type { NatsConnection } from '@nats-io/nats-core'
import type { Creds } from '../../core/trust/creds.ts'
import type { Clock } from './life.ts'
import type { Connect } from './line.ts'

/** A credential, and whatever the program keeps with it. */
export interface HeldCredential {
  readonly creds: Creds
}
export interface Renewing<C extends HeldCredential> {
  readonly credential: C
  readonly connect: Connect
  /** Asks over the connection for a credential of the same key that ends later. */
  readonly renew: (credential: C, nc: NatsConnection) => Promise<C>
  /** Asks as at first, for the same key, when a credential ended before it could be renewed. */
  readonly requestAgain?: (credential: C) => Promise<C>
  readonly onStatus?: (status: RenewalStatus) => void
  /** How long both connections live side by side; a tenth of the credential's life at most. */
  readonly overlapMs?: number
  readonly clock?: Clock
}
export type RenewalStatus =
  | { readonly type: 'renewed'; readonly expiresSeconds: number | undefined }
  /** From one connection to the next. */
  | { readonly type: 'moved'; readonly server: string }
  | { readonly type: 'failed'; readonly reason: Error; readonly retryMs: number }
  /** Nobody is asked again; the connection lives until the credential's end. */
  | { readonly type: 'refused'; readonly reason: Error }
  | { readonly type: 'disconnected' }
  | { readonly type: 'reconnected'; readonly server: string }
  | { readonly type: 'ended'; readonly reason: Error }
