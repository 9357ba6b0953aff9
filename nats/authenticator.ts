import type { Auth, Authenticator } from '@nats-io/nats-core'
import { Refusal } from '../core/errors.ts'
import type { Creds } from '../core/trust/creds.ts'
import { signWith, type NkeyPair } from '../core/trust/nkey.ts'

/**
 * Proves the newest credential at every dial. Sends `jwt` and `sig` alone: with `nkey` beside them
 * nats-server takes each account reload for a move to another account, and disconnects.
 */
export function credsAuthenticator(current: () => Creds): Authenticator {
  return (nonce?: string): Auth => {
    const { user, pair } = current()
    return { jwt: user.text, sig: signNonce(pair, nonce) }
  }
}

/** For a server that knows its users by nkey. */
export function nkeyAuthenticator(pair: NkeyPair<'user'>): Authenticator {
  return (nonce?: string): Auth => ({ nkey: pair.publicKey, sig: signNonce(pair, nonce) })
}

/** Signs nothing but what looks like a nonce: a hostile server could ask for a signature over a proof. */
function signNonce(pair: NkeyPair<'user'>, nonce: string | undefined): string {
  if (nonce === undefined || !/^[\w-]{8,128}$/.test(nonce))
    throw new Refusal('ERR_SERVER_NONCE', 'server did not offer a nonce to sign')
  return Buffer.from(signWith(pair, Buffer.from(nonce))).toString('base64url')
}
