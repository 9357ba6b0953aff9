import test from 'ava'
import { randomBytes } from 'node:crypto'
import { parseLegacyUser, signLegacyUser } from '../../../core/trust/legacy-user.ts'
import { isSignedBy, nkeyPairFrom } from '../../../core/trust/nkey.ts'
import { signUser } from '../../../core/trust/user.ts'

const signer = nkeyPairFrom('account', randomBytes(32))
const account = nkeyPairFrom('account', randomBytes(32)).publicKey
const { publicKey } = nkeyPairFrom('user', randomBytes(32))
const times = { issuedAtSeconds: 1_800_000_000, expiresAtSeconds: 1_800_000_600 }
const { text } = signLegacyUser(signer, { publicKey, name: 'alice', account, ...times })
const [head = '', body = '', signature = ''] = text.split('.')
const read = (segment: string): unknown => JSON.parse(Buffer.from(segment, 'base64url').toString())

test('has the header and the claims of the old form', (t) => {
  t.deepEqual(read(head), { typ: 'jwt', alg: 'ed25519' })
  const { jti, ...claims } = read(body) as { jti: string }
  t.regex(jti, /^[A-Z2-7]{52}$/)
  t.deepEqual(claims, {
    exp: 1_800_000_600,
    iat: 1_800_000_000,
    iss: signer.publicKey,
    name: 'alice',
    sub: publicKey,
    type: 'user',
    nats: { pub: {}, sub: {}, subs: 0, data: 0, payload: 0 },
    issuer_account: account,
  } as unknown as typeof claims)
})

test('is signed over the segment of the claims alone', (t) => {
  const bytes = Buffer.from(signature, 'base64url')
  t.true(isSignedBy(signer.publicKey, Buffer.from(body), bytes))
  t.false(isSignedBy(signer.publicKey, Buffer.from(`${head}.${body}`), bytes))
})

test('is read as what one of today says', (t) => {
  const { claims } = parseLegacyUser(text)
  const { issuedAtSeconds: iat, expiresAtSeconds: exp } = times
  t.like(claims, { sub: publicKey, iss: signer.publicKey, name: 'alice', iat, exp })
  t.is(claims.nats.issuer_account, account)
})

const today = signUser(signer, { publicKey, name: 'alice', account, ...times }).text
const resigned = signLegacyUser(signer, { publicKey, name: 'bob', account, ...times }).text
const withBody = (value: unknown): string =>
  `${head}.${Buffer.from(JSON.stringify(value)).toString('base64url')}.${signature}`
for (const [what, jwt, code, message] of [
  ['one of today', today, 'ERR_JWT_ILLEGAL', 'illegal JWT: not a user of the old form'],
  ['nothing', '', 'ERR_JWT_ILLEGAL', 'illegal JWT: not a user of the old form'],
  ['null for claims', withBody(null), 'ERR_JWT_ILLEGAL', 'illegal JWT: not a user of the old form'],
  [
    'one without an account',
    withBody({ ...(read(body) as object), issuer_account: undefined }),
    'ERR_JWT_ILLEGAL',
    'illegal JWT: not a user of the old form',
  ],
  [
    "another's signature",
    `${head}.${body}.${resigned.split('.')[2]}`,
    'ERR_JWT_SIGNATURE',
    `JWT ${(read(body) as { jti: string }).jti}: signature is not by ${signer.publicKey}`,
  ],
] as const)
  test(`refuses ${what}`, (t) => {
    t.throws(() => parseLegacyUser(jwt), { code, message })
  })
