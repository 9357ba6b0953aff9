// User JWTs and creds files in the form of the NATS tutorial of 2020 (github.com/nats-io/jwt 0.2.10),
// for clients that know no other. nats-server still takes them.
import { hash } from 'node:crypto'
import { encodeBase32 } from './base32.ts'
import { signWith, type NkeyPair } from './nkey.ts'
import type { User } from './user.ts'

export interface LegacyUserJwt {
  readonly text: string
  readonly claims: { readonly jti: string; readonly exp: number; readonly iss: string }
}

/**
 * A user of a scoped signing key in the old form: `type` and `issuer_account` at the top, the
 * signature over the claims' segment alone, whatever the header says. Its limits are the zeros that
 * nats-server takes for none: with others, or with permissions, a scoped key's user is refused.
 */
export function signLegacyUser(signer: NkeyPair<'account'>, user: User): LegacyUserJwt {
  const unsigned = {
    exp: user.expiresAtSeconds,
    iat: user.issuedAtSeconds,
    iss: signer.publicKey,
    name: user.name,
    sub: user.publicKey,
    type: 'user',
    nats: { pub: {}, sub: {}, subs: 0, data: 0, payload: 0 },
    issuer_account: user.account,
  }
  const jti = encodeBase32(hash('sha512-256', JSON.stringify(unsigned), 'buffer'))
  const claims = { jti, ...unsigned }
  const segment = encodeSegment(claims)
  const signature = Buffer.from(signWith(signer, Buffer.from(segment))).toString('base64url')
  return { text: `${header}.${segment}.${signature}`, claims }
}

/** As the tutorial's function wrote it, blank first line and all; `place` is a remark in it. */
export function formatLegacyCreds(userJwt: string, { seed, place }: LegacySecret): string {
  return `
-----BEGIN NATS USER JWT-----
${userJwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
Private NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER PRIVATE KEY-----
${seed}
------END USER PRIVATE KEY------

*************************************************************

# Provisioned by NATS team
# Server ID/LOC: ${JSON.stringify(place)}
`
}

interface LegacySecret {
  readonly seed: string
  readonly place: string
}

const header = encodeSegment({ typ: 'jwt', alg: 'ed25519' })

function encodeSegment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
