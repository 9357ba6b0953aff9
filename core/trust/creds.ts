import { Refusal } from '../errors.ts'
import { parseSeed, type NkeyPair } from './nkey.ts'
import { parseUser, type UserJwt } from './user.ts'

export interface Creds {
  readonly user: UserJwt
  readonly pair: NkeyPair<'user'>
}

/** The creds file that every NATS client reads; a secret, for it holds the seed. */
export function formatCreds(userJwt: string, seed: string): string {
  return `-----BEGIN NATS USER JWT-----
${userJwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------

*************************************************************
`
}

/** Refuses a file without both parts, and a seed that is not of the JWT's user. */
export function parseCreds(text: string): Creds {
  const [jwt, seed] = [...text.matchAll(/-----BEGIN [^\n]+-----\s+([\w.-]+)\s+-+END /g)].map(
    (match) => match[1],
  )
  if (jwt === undefined || seed === undefined)
    throw new Refusal('ERR_CREDS_ILLEGAL', 'illegal creds file: no JWT and seed in it')
  const user = parseUser(jwt)
  const pair = parseSeed('user', seed)
  if (pair.publicKey !== user.claims.sub)
    throw new Refusal('ERR_CREDS_ILLEGAL', `illegal creds file: seed is not of ${user.claims.sub}`)
  return { user, pair }
}
