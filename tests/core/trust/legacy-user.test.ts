import test from 'ava'
import { randomBytes } from 'node:crypto'
import { signLegacyUser } from '../../../core/trust/legacy-user.ts'
import { isSignedBy, nkeyPairFrom } from '../../../core/trust/nkey.ts'

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
