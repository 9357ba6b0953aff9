import test from 'ava'
import fc from 'fast-check'
import { Refusal } from '../../../core/errors.ts'
import { encodeProof, signProof } from '../../../core/access/proof.ts'
import { parseRequest, readAsked, requestBytesMax } from '../../../core/access/request.ts'
import { alice, claimsOf, encode, makeInvited, makeRequest, makeTrust } from './trust.ts'

const trust = makeTrust()
const signature = Buffer.alloc(64).toString('base64url')
const encodeJson = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
/** A request around a proof that was spelled by hand. */
const around = (proof: unknown): Uint8Array => encode({ proof: encodeJson(proof), signature })
const withClaims = (changes: object): Uint8Array => around(claimsOf(trust, changes))

test('takes a request apart', (t) => {
  const claims = claimsOf(trust)
  const proof = encodeProof(claims)
  const request = parseRequest(makeRequest(trust))
  t.deepEqual(request.claims, claims as typeof request.claims)
  t.is(request.proof, proof)
  t.is(request.signature, signProof(alice.pair, proof, 'access'))
  t.is(request.ticket, undefined)
})

test('takes a request with an invite apart', (t) => {
  const request = parseRequest(makeInvited(trust).bytes)
  t.regex(request.ticket ?? '', /^eyJ/)
  t.regex(request.ticketSignature ?? '', /^[\w-]{86}$/)
})

test('takes a request of exactly 4096 bytes, and none of one more', (t) => {
  const bytes = makeRequest(trust)
  const padded = Buffer.concat([bytes, Buffer.alloc(requestBytesMax - bytes.length, ' ')])
  t.notThrows(() => parseRequest(padded))
  t.throws(() => parseRequest(Buffer.concat([padded, Buffer.from(' ')])), {
    code: 'ERR_REQUEST_OVERSIZE',
    message: 'request: 4097 bytes, 4096 at most',
  })
})

const proof = encodeProof(claimsOf(trust))
const notJson = 'request is not JSON in UTF-8'
const other = 'proof: not the one spelling of its claims'
const notText = 'proof: audience or door is not text'
const claimsText = JSON.stringify(claimsOf(trust))
const { audience, nkey } = claimsOf(trust)

const badRequests: [what: string, bytes: Uint8Array, code: string, message: string][] = [
  ['nothing', Buffer.alloc(0), 'ERR_REQUEST_NOT_JSON', notJson],
  ['text', Buffer.from('alice'), 'ERR_REQUEST_NOT_JSON', notJson],
  ['half of an object', Buffer.from('{"proof":'), 'ERR_REQUEST_NOT_JSON', notJson],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'ERR_REQUEST_NOT_JSON', notJson],
  [
    'a byte order mark',
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), makeRequest(trust)]),
    'ERR_REQUEST_NOT_JSON',
    notJson,
  ],
  ['a list', encode([]), 'ERR_REQUEST_NOT_JSON', 'request is not a JSON object'],
  ['null', encode(null), 'ERR_REQUEST_NOT_JSON', 'request is not a JSON object'],
  ['a number', encode(1e308), 'ERR_REQUEST_NOT_JSON', 'request is not a JSON object'],
  [
    'an unknown field',
    encode({ admin: 'yes' }),
    'ERR_REQUEST_ILLEGAL',
    `illegal request: unknown field: 'admin'`,
  ],
  [
    'a prototype',
    Buffer.from('{"__proto__":{"proof":"x"}}'),
    'ERR_REQUEST_ILLEGAL',
    `illegal request: unknown field: '__proto__'`,
  ],
  [
    'a constructor',
    Buffer.from('{"constructor":"x"}'),
    'ERR_REQUEST_ILLEGAL',
    `illegal request: unknown field: 'constructor'`,
  ],
  [
    'a field with a control character',
    encode({ 'a\u001b': 'x' }),
    'ERR_REQUEST_ILLEGAL',
    String.raw`illegal request: unknown field: 'a\u{1b}'`,
  ],
  [
    'a field that is no text',
    encode({ proof, signature: 7 }),
    'ERR_REQUEST_ILLEGAL',
    'illegal request: signature is not text',
  ],
  [
    'a field with a newline',
    encode({ proof, signature: `${signature}\n` }),
    'ERR_REQUEST_ILLEGAL',
    'illegal request: signature is not base64url',
  ],
  [
    'a field twice',
    Buffer.from(`{"proof":"${proof}","proof":"${proof}","signature":"${signature}"}`),
    'ERR_REQUEST_ILLEGAL',
    'illegal request: a field stands twice',
  ],
  [
    'a field twice, once in disguise',
    Buffer.from(`{"pr\\u006fof":"x","proof":"${proof}","signature":"${signature}"}`),
    'ERR_REQUEST_ILLEGAL',
    'illegal request: a field stands twice',
  ],
  ['no proof', encode({ signature }), 'ERR_PROOF_ILLEGAL', 'request has no proof'],
  ['no signature', encode({ proof }), 'ERR_PROOF_ILLEGAL', 'request has no signature'],
  [
    'an empty signature',
    encode({ proof, signature: '' }),
    'ERR_PROOF_ILLEGAL',
    'signature is not 64 bytes of base64url',
  ],
  [
    'a signature of 63 bytes',
    encode({ proof, signature: Buffer.alloc(63).toString('base64url') }),
    'ERR_PROOF_ILLEGAL',
    'signature is not 64 bytes of base64url',
  ],
  [
    'a signature in another spelling',
    encode({ proof, signature: `${signature.slice(0, -1)}B` }),
    'ERR_PROOF_ILLEGAL',
    'signature is not 64 bytes of base64url',
  ],
  [
    'a ticket signature of one byte',
    encode({ proof, signature, ticketSignature: 'AA' }),
    'ERR_REQUEST_ILLEGAL',
    'illegal request: ticketSignature is not 64 bytes of base64url',
  ],
  ['a proof that is no JSON', around('alice'), 'ERR_PROOF_ILLEGAL', 'proof is not JSON in UTF-8'],
  ['a proof that is a list', around([]), 'ERR_PROOF_ILLEGAL', 'proof is not a JSON object'],
  ['a proof with a space', around(` ${claimsText}`), 'ERR_PROOF_ILLEGAL', other],
  ['a proof with padding', encode({ proof: `${proof}.`, signature }), 'ERR_PROOF_ILLEGAL', other],
  ['a proof with a claim more', withClaims({ admin: true }), 'ERR_PROOF_ILLEGAL', other],
  [
    'a proof with a claim twice',
    around(claimsText.replace('{', '{"role":"moderator",')),
    'ERR_PROOF_ILLEGAL',
    other,
  ],
  [
    'a proof with a prototype',
    around(claimsText.replace('{', '{"__proto__":{"role":"moderator"},')),
    'ERR_PROOF_ILLEGAL',
    other,
  ],
  [
    'a proof in another order',
    around(Object.fromEntries(Object.entries(claimsOf(trust)).toReversed())),
    'ERR_PROOF_ILLEGAL',
    other,
  ],
  [
    'a proof with an escape',
    around(claimsText.replace('alice', String.raw`\u0061lice`)),
    'ERR_PROOF_ILLEGAL',
    other,
  ],
  ['an audience that is no text', withClaims({ audience: 7 }), 'ERR_PROOF_ILLEGAL', notText],
  ['a door that is a list', withClaims({ door: ['lobby'] }), 'ERR_PROOF_ILLEGAL', notText],
  [
    'a door that cannot be made text',
    withClaims({ door: { toString: 1, valueOf: 1 } }),
    'ERR_PROOF_ILLEGAL',
    notText,
  ],
  ['no name', withClaims({ name: undefined }), 'ERR_NAME_MISSING', 'name is missing'],
  ['an empty name', withClaims({ name: '' }), 'ERR_NAME_MISSING', 'name is missing'],
  ['a name that is no text', withClaims({ name: {} }), 'ERR_NAME_ILLEGAL', 'name is not text'],
  [
    'a name of 33 characters',
    withClaims({ name: 'x'.repeat(33) }),
    'ERR_NAME_TOO_LONG',
    'name is over 32 characters',
  ],
  [
    'a name with a control character',
    withClaims({ name: 'a\u0007' }),
    'ERR_NAME_ILLEGAL',
    String.raw`illegal name: 'a\u{7}'`,
  ],
  ['a wildcard for a name', withClaims({ name: '*' }), 'ERR_NAME_ILLEGAL', `illegal name: '*'`],
  ['no role', withClaims({ role: undefined }), 'ERR_ROLE_UNKNOWN', 'no role is asked for'],
  ['an empty role', withClaims({ role: '' }), 'ERR_ROLE_UNKNOWN', 'no role is asked for'],
  [
    'a role of 33 characters',
    withClaims({ role: 'x'.repeat(33) }),
    'ERR_ROLE_UNKNOWN',
    `unknown role: '${'x'.repeat(33)}'`,
  ],
  [
    'no curve key',
    withClaims({ curve: undefined }),
    'ERR_CURVE_MISSING',
    'no curve key to which the answer can be sealed',
  ],
  [
    'a curve key that is short',
    withClaims({ curve: 'AAAA' }),
    'ERR_CURVE_ILLEGAL',
    `curve key is not 32 bytes of base64url: 'AAAA'`,
  ],
  [
    'a curve key that opens for all',
    withClaims({ curve: Buffer.alloc(32).toString('base64url') }),
    'ERR_CURVE_ILLEGAL',
    `curve key is a point of low order: ${Buffer.alloc(32).toString('base64url')}`,
  ],
  ['no nkey', withClaims({ nkey: undefined }), 'ERR_PROOF_ILLEGAL', "proof: nkey is not a user's"],
  [
    "an operator's nkey",
    withClaims({ nkey: audience }),
    'ERR_PROOF_ILLEGAL',
    "proof: nkey is not a user's",
  ],
  [
    'an nkey with a wrong checksum',
    withClaims({ nkey: `${nkey.slice(0, -1)}${nkey.endsWith('A') ? 'Q' : 'A'}` }),
    'ERR_PROOF_ILLEGAL',
    "proof: nkey is not a user's",
  ],
  ['no time', withClaims({ time: undefined }), 'ERR_PROOF_ILLEGAL', 'proof: time is not whole'],
  [
    'half a millisecond',
    withClaims({ time: 0.5 }),
    'ERR_PROOF_ILLEGAL',
    'proof: time is not whole',
  ],
  ['a huge time', withClaims({ time: 1e300 }), 'ERR_PROOF_ILLEGAL', 'proof: time is not whole'],
  [
    'an infinite time',
    around(claimsText.replace(/"time":\d+/, '"time":1e999')),
    'ERR_PROOF_ILLEGAL',
    'proof: time is not whole',
  ],
  [
    'a time that is rounded',
    around(claimsText.replace(/"time":\d+/, '"time":9007199254740993')),
    'ERR_PROOF_ILLEGAL',
    'proof: time is not whole',
  ],
  [
    'a time below nothing',
    around(claimsText.replace(/"time":\d+/, '"time":-0')),
    'ERR_PROOF_ILLEGAL',
    other,
  ],
  [
    'a time in another spelling',
    around(claimsText.replace(/"time":\d+/, '"time":18e11')),
    'ERR_PROOF_ILLEGAL',
    other,
  ],
  [
    'a time that is text',
    withClaims({ time: '1' }),
    'ERR_PROOF_ILLEGAL',
    'proof: time is not whole',
  ],
  [
    'a short nonce',
    withClaims({ nonce: 'x'.repeat(15) }),
    'ERR_PROOF_ILLEGAL',
    'proof: nonce is not 16 to 64 characters of base64url',
  ],
  [
    'a long nonce',
    withClaims({ nonce: 'x'.repeat(65) }),
    'ERR_PROOF_ILLEGAL',
    'proof: nonce is not 16 to 64 characters of base64url',
  ],
  [
    'a nonce with a newline',
    withClaims({ nonce: `${'x'.repeat(20)}\n` }),
    'ERR_PROOF_ILLEGAL',
    'proof: nonce is not 16 to 64 characters of base64url',
  ],
]

for (const [what, bytes, code, message] of badRequests)
  test(`refuses ${what}`, (t) => {
    t.throws(() => parseRequest(bytes), { instanceOf: Refusal, code, message })
  })

for (const length of [16, 64])
  test(`takes a nonce of ${length} characters`, (t) => {
    t.notThrows(() => parseRequest(withClaims({ nonce: 'x'.repeat(length) })))
  })

test('a proof has one text: one that is read is spelled the same again', (t) => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 32 })
  fc.assert(
    fc.property(name, fc.integer(), (name, time) => {
      let request
      try {
        request = parseRequest(withClaims({ name: name.normalize('NFC'), time }))
      } catch (error) {
        t.regex((error as Refusal).code, /^ERR_NAME_/)
        return
      }
      t.is(encodeProof(request.claims), request.proof)
    }),
  )
})

test('whatever comes is read, or refused with a code', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      t.throws(() => parseRequest(bytes), { instanceOf: Refusal })
      t.deepEqual(readAsked(bytes), {})
    }),
  )
})

test('reads of a refused request who asked, so that he knows his refusal', (t) => {
  const nonce = 'nonce-of-a-request'
  t.deepEqual(readAsked(withClaims({ name: 'a*' })), { role: 'member', name: 'a*', nkey, nonce })
  t.deepEqual(readAsked(withClaims({ nonce: 'x', nkey: 'U', name: 7 })), { role: 'member' })
  t.deepEqual(readAsked(encode({ proof: 7 })), {})
  t.deepEqual(readAsked(Buffer.alloc(requestBytesMax + 1, ' ')), {})
})

test('keeps little of a refused request that is long', (t) => {
  const asked = readAsked(withClaims({ name: 'x'.repeat(1_000), role: 'y'.repeat(1_000) }))
  t.is(asked.name, 'x'.repeat(64))
  t.is(asked.role, 'y'.repeat(32))
})
