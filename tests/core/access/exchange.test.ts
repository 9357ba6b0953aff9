import test from 'ava'
import fc from 'fast-check'
import { makeExchange, type AskingExchange } from '../../../core/access/ask-exchange.ts'
import { requireSigned } from '../../../core/access/decision.ts'
import { considerExchange, type ExchangeContext } from '../../../core/access/exchange.ts'
import { exchangeBytesMax, parseExchange } from '../../../core/access/exchange-request.ts'
import { formatForm, parseForm } from '../../../core/access/form.ts'
import { encodeProof, signProof } from '../../../core/access/proof.ts'
import { formatTokenAudience } from '../../../core/access/token-audience.ts'
import { tokenHash } from '../../../core/access/token-hash.ts'
import { withIssuerKeys } from '../../../core/archipelago/issuer-keys.ts'
import { Refusal, type RefusalCode } from '../../../core/errors.ts'
import { formatTime } from '../../../core/time.ts'
import { parseSpiffeId } from '../../../core/identity/spiffe-id.ts'
import { good } from '../archipelago/example.ts'
import { ams3Cluster, keyFiles, withTokens } from './token-example.ts'
import { serviceAccountClaims } from './token-issuer.ts'
import { alice, makePair, makeTrust, nowMs, nowSeconds } from './trust.ts'

const trust = makeTrust({ yaml: withTokens(good) })
const archipelago = withIssuerKeys(trust.archipelago, (path) => keyFiles[path])
const context = (changes: Partial<ExchangeContext> = {}): ExchangeContext => ({
  ...trust.context('identity', { archipelago }),
  region: 'ams3',
  ...changes,
})
const { publicKey: nkey } = alice.pair
const thief = makePair('user')
const audience = formatTokenAudience('archipelago', nkey)
const signed = (changes: object = {}) =>
  ams3Cluster.sign({ ...serviceAccountClaims({ audience, nowSeconds }), ...changes })
const token = signed()

const asking = (changes: Partial<AskingExchange> = {}): AskingExchange => ({
  operator: trust.operator,
  role: 'orders',
  token,
  ...alice,
  nonce: 'nonce-of-a-request',
  nowMs,
  ...changes,
})
const formOf = (changes: Partial<AskingExchange> = {}) => makeExchange(asking(changes)).form

function decide(form: string | Uint8Array, changes: Partial<ExchangeContext> = {}) {
  const exchange = parseExchange(Buffer.from(form), 'archipelago')
  return requireSigned(considerExchange(exchange, context(changes)))
}

function refusalOf(act: () => unknown): Refusal {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was granted')
}

test('a token becomes what its subject is given, for the key that proved itself', (t) => {
  const grant = decide(formOf())
  t.like(grant, {
    rule: 'identity',
    entry: 'roles.orders.identity[0]',
    name: 'ams3-cluster|system:serviceaccount:shop:orders',
    nkey,
  })
  t.is(grant.role.name, 'orders')
  t.is(grant.issuedAtSeconds, nowSeconds)
})

for (const [what, lifeSeconds, expected] of [
  ['the token, where it ends first', 600, 600],
  ['the role, where that lives shorter', 3600, 900],
] as const)
  test(`it ends with ${what}`, (t) => {
    const claims = serviceAccountClaims({ audience, nowSeconds, lifeSeconds })
    const grant = decide(formOf({ token: ams3Cluster.sign(claims) }))
    t.is(grant.expiresAtSeconds, nowSeconds + expected)
  })

test('a request that is played again yields the same key and no later end', (t) => {
  const form = formOf()
  const [first, again] = [0, 59_000].map((later) => decide(form, { nowMs: nowMs + later }))
  t.deepEqual(again, first)
})

const spiffeId = parseSpiffeId('spiffe://mesh.example/shop/orders')
const identity = { id: spiffeId, sha256: tokenHash('certificate'), notAfterMs: nowMs + 60_500 }
const ofCertificate = { token: identity.sha256, isCertificate: true, role: 'meshed' }

test("a connection's certificate is a subject, and the credential ends with it", (t) => {
  const grant = decide(formOf(ofCertificate), { identity })
  t.is(grant.name, spiffeId)
  t.is(grant.expiresAtSeconds, nowSeconds + 61)
})

/** Changes of the form after it was made: what is undefined is left out. */
function reformed(changes: Record<string, string | undefined>): string {
  const parameters = Object.fromEntries(new URLSearchParams(formOf()))
  return formatForm({ ...parameters, ...changes })
}
const withProof = (changes: object, signer = alice.pair) => {
  const { claims } = makeExchange(asking())
  const proof = encodeProof({ ...claims, ...changes })
  const signature = signProof(signer, proof, 'exchange')
  return reformed({ nkey_proof: proof, nkey_proof_signature: signature })
}
const accessSigned = () => {
  const proof = encodeProof(makeExchange(asking()).claims)
  return reformed({ nkey_proof_signature: signProof(alice.pair, proof, 'access') })
}
const denyList = trust.denyList({ nkeys: [nkey] })
const deniedNames = trust.denyList({ names: ['ams3-cluster|system:serviceaccount:shop:orders'] })

const invalid: [what: string, form: string, code: RefusalCode, message: string, object?][] = [
  ['no grant type', reformed({ grant_type: '' }), 'ERR_GRANT_MISSING', 'grant_type is missing'],
  [
    'another grant type',
    reformed({ grant_type: 'client_credentials' }),
    'ERR_GRANT_TYPE',
    'grant_type is not urn:ietf:params:oauth:grant-type:token-exchange',
  ],
  [
    'no token',
    reformed({ subject_token: undefined }),
    'ERR_TOKEN_MISSING',
    'subject_token is missing',
  ],
  [
    'an empty token',
    reformed({ subject_token: '' }),
    'ERR_TOKEN_MISSING',
    'subject_token is missing',
  ],
  [
    'no type of the token',
    reformed({ subject_token_type: undefined }),
    'ERR_TOKEN_MISSING',
    'subject_token_type is missing',
  ],
  [
    'a type of token that is not known',
    reformed({ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
    'ERR_TOKEN_TYPE',
    'subject_token_type is none of urn:ietf:params:oauth:token-type:jwt, urn:ietf:params:oauth:token-type:id_token, urn:archipelago:params:oauth:token-type:x509-svid',
  ],
  [
    'a wish for another type',
    reformed({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    'ERR_TOKEN_REQUESTED_TYPE',
    'requested_token_type is not urn:ietf:params:oauth:token-type:jwt',
  ],
  [
    'an actor',
    reformed({ actor_token: token }),
    'ERR_TOKEN_ACTOR',
    'actor_token: nobody acts for another here',
  ],
  [
    'another audience',
    reformed({ audience: 'elsewhere' }),
    'ERR_TARGET_UNKNOWN',
    "audience is not archipelago: 'elsewhere'",
  ],
  [
    'one audience of two that is another',
    `${reformed({ audience: 'archipelago' })}&audience=elsewhere`,
    'ERR_TARGET_UNKNOWN',
    "audience is not archipelago: 'elsewhere'",
  ],
  [
    'a resource',
    reformed({ resource: 'https://elsewhere.example' }),
    'ERR_TARGET_UNKNOWN',
    'resource: none is known here',
  ],
  [
    'a scope that is another role',
    reformed({ scope: 'moderator' }),
    'ERR_SCOPE_OTHER',
    "scope is not the role of the proof: 'moderator'",
  ],
  [
    'the secret of a client',
    reformed({ client_id: 'a', client_secret: 'b' }),
    'ERR_CLIENT_AUTHENTICATION',
    'clients are not authenticated here',
  ],
  [
    'a token that stands twice',
    `${formOf()}&subject_token=${token}`,
    'ERR_FORM_TWICE',
    "parameter stands twice: 'subject_token'",
  ],
  [
    'a grant type that stands twice',
    `grant_type=x&${formOf()}`,
    'ERR_FORM_TWICE',
    "parameter stands twice: 'grant_type'",
  ],
  ['JSON', JSON.stringify({ token }), 'ERR_GRANT_MISSING', 'grant_type is missing'],
  ['text', 'a token', 'ERR_FORM_ILLEGAL', 'illegal form: not urlencoded'],
  ['a broken escape', `${formOf()}&a=%zz`, 'ERR_FORM_ILLEGAL', 'illegal form: not urlencoded'],
  ['half a character', `${formOf()}&a=%C3`, 'ERR_FORM_ILLEGAL', 'illegal form: not UTF-8'],
  [
    'very many parameters',
    `${formOf()}${'&a=b'.repeat(40)}`,
    'ERR_FORM_ILLEGAL',
    'illegal form: over 32 parameters',
  ],
  [
    'a megabyte',
    reformed({ subject_token: 'a'.repeat(2 ** 20) }),
    'ERR_REQUEST_OVERSIZE',
    `request: over ${exchangeBytesMax} bytes`,
  ],
  ['no proof', reformed({ nkey_proof: undefined }), 'ERR_TOKEN_MISSING', 'nkey_proof is missing'],
  [
    'no signature',
    reformed({ nkey_proof_signature: undefined }),
    'ERR_TOKEN_MISSING',
    'nkey_proof_signature is missing',
  ],
  [
    'half a signature',
    reformed({ nkey_proof_signature: 'AAAA' }),
    'ERR_PROOF_ILLEGAL',
    'nkey_proof_signature is not 64 bytes of base64url',
  ],
  [
    'a proof of no token',
    withProof({ token: undefined }),
    'ERR_PROOF_ILLEGAL',
    'proof: token is not a SHA-256 in base64url',
  ],
  [
    'a proof of another token',
    withProof({ token: tokenHash('other') }),
    'ERR_TOKEN_BINDING',
    'proof is for another token than the one that came',
  ],
  [
    'another token under a genuine proof',
    reformed({ subject_token: signed({ jti: 'other' }) }),
    'ERR_TOKEN_BINDING',
    'proof is for another token than the one that came',
  ],
  [
    'a proof with a name',
    withProof({ name: 'alice' }),
    'ERR_PROOF_ILLEGAL',
    'proof: not the one spelling of its claims',
  ],
  [
    'a proof by another key',
    withProof({}, thief),
    'ERR_PROOF_WRONG',
    `proof is not signed by its nkey: ${nkey}`,
  ],
  [
    "the same token with a thief's key",
    formOf({ pair: thief }),
    'ERR_TOKEN_BINDING',
    `token refused: it is for the nkey ${nkey}`,
  ],
  [
    "a proof that was signed for the lobby's door",
    accessSigned(),
    'ERR_PROOF_WRONG',
    `proof is not signed by its nkey: ${nkey}`,
  ],
  [
    'a proof for the lobby',
    withProof({ door: 'lobby' }),
    'ERR_PROOF_AUDIENCE',
    "proof is not for this operator's door: identity",
  ],
  [
    'a proof for another operator',
    withProof({ audience: makeTrust().operator.claims.sub }),
    'ERR_PROOF_AUDIENCE',
    "proof is not for this operator's door: identity",
  ],
  [
    'an old proof',
    withProof({ time: nowMs - 61_000 }),
    'ERR_PROOF_STALE',
    `proof says ${formatTime(nowMs - 61_000)}, this clock says ${formatTime(nowMs)}: 60 s apart at most`,
  ],
  ['an unknown role', formOf({ role: 'king' }), 'ERR_ROLE_UNKNOWN', "unknown role: 'king'"],
  [
    'a role with another door',
    formOf({ role: 'member' }),
    'ERR_ROLE_DOOR',
    'role member is not given at this door: identity',
  ],
  [
    'the role of another subject',
    formOf({ role: 'builder' }),
    'ERR_ROLE_DOOR',
    "role builder is not given to 'ams3-cluster|system:serviceaccount:shop:orders'",
  ],
  ['a denied nkey', formOf(), 'ERR_NKEY_DENIED', `nkey is denied: ${nkey}`, { denyList }],
  [
    'a denied subject',
    formOf(),
    'ERR_NAME_DENIED',
    "name is denied: 'ams3-cluster|system:serviceaccount:shop:orders'",
    { denyList: deniedNames },
  ],
  [
    'a certificate that is not of the connection',
    formOf({ ...ofCertificate, token: tokenHash('other') }),
    'ERR_TOKEN_CERTIFICATE',
    "subject_token is not the connection's certificate",
    { identity },
  ],
  [
    'a certificate where the connection has none',
    formOf(ofCertificate),
    'ERR_TOKEN_CERTIFICATE',
    "subject_token is not the connection's certificate",
  ],
  [
    'a certificate that ends before the credential begins to be of use',
    formOf(ofCertificate),
    'ERR_TOKEN_EXPIRED',
    `token refused: a credential for it would have ended ${formatTime(nowMs - (nowMs % 1000))}, this clock says ${formatTime(nowMs)}`,
    { identity: { ...identity, notAfterMs: nowMs } },
  ],
]

for (const [what, form, code, message, changes = {}] of invalid)
  test(`refuses ${what}`, (t) => {
    const refusal = refusalOf(() => decide(form, changes))
    t.is(refusal.code, code)
    t.is(refusal.message, message)
  })

test('passes over parameters that it does not know, and empty ones', (t) => {
  t.is(decide(`${formOf()}&client_id=a&resource=&x=%20`).role.name, 'orders')
})

test('a form is read as it was written', (t) => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(fc.dictionary(text, text, { maxKeys: 10, noNullPrototype: true }), (fields) => {
      const form = parseForm(Buffer.from(formatForm(fields)))
      t.deepEqual(form, new Map(Object.entries(fields).map(([name, value]) => [name, [value]])))
    }),
  )
})

test('whatever bytes come, a form is read or refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      refusalOf(() => parseExchange(bytes, 'archipelago'))
    }),
  )
  t.pass()
})
