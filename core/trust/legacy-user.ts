// User JWTs and creds files in the form of the NATS tutorial of 2020 (github.com/nats-io/jwt 0.2.10),
// for clients that know no other. nats-server still takes them.
import { hash } from 'node:crypto'
import { Refusal } from '../errors.ts'
import { encodeBase32 } from './base32.ts'
import { isNkey, isSignedBy, signWith, type NkeyPair } from './nkey.ts'
import type { User, UserJwt } from './user.ts'

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

/**
 * The same claims as in a user JWT of today, so that who watches connections can judge both. Refuses
 * what has not this form, or not the signature of its issuer.
 */
export function parseLegacyUser(text: string): UserJwt {
  const [head = '', segment = '', signature = ''] = text.split('.')
  const claims = read(segment)
  const { iss, sub, jti, iat, exp, name, type } = claims
  const isWhole =
    (read(head) as { alg?: unknown }).alg === 'ed25519' &&
    typeof iss === 'string' &&
    isNkey('account', iss) &&
    [sub, jti, type, claims['issuer_account']].every((each) => typeof each === 'string') &&
    type === 'user' &&
    Number.isSafeInteger(iat) &&
    (exp === undefined || Number.isSafeInteger(exp))
  if (!isWhole) throw new Refusal('ERR_JWT_ILLEGAL', 'illegal JWT: not a user of the old form')
  const bytes = Buffer.from(signature, 'base64url')
  if (!isSignedBy(iss, Buffer.from(segment), bytes))
    throw new Refusal('ERR_JWT_SIGNATURE', `JWT ${String(jti)}: signature is not by ${iss}`)
  const nats = { issuer_account: claims['issuer_account'], type, version: 1 }
  return { text, claims: { jti, iat, exp, iss, sub, name, nats } as UserJwt['claims'] }
}

function read(segment: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
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
