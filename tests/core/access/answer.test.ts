import { deflateRawSync } from 'node:zlib'
import test from 'ava'
import { openAnswer, sealAnswer, type Answer } from '../../../core/access/answer.ts'
import { generateCurveKeyPair } from '../../../core/access/curve-key.ts'
import { seal } from '../../../core/access/hpke.ts'
import { encodeProof } from '../../../core/access/proof.ts'
import { Refusal } from '../../../core/errors.ts'
import { jwtCharactersMax } from '../../../core/trust/jwt.ts'
import { alice, claimsOf, makeCredential, makePair, makeTrust, nowSeconds } from './trust.ts'

const trust = makeTrust()
const foreign = makeTrust()
const claims = claimsOf(trust)
const asked = { claims, curve: alice.curve, operator: trust.operator, nowSeconds }
const to = { curve: alice.curve.publicKey, proof: encodeProof(claims) }

const genuine: Answer = {
  nonce: claims.nonce,
  nkey: claims.nkey,
  jwt: makeCredential(trust, 'member.lobby.ams3'),
  account: trust.account.text,
  region: 'ams3',
}

test('the requestor opens what was sealed to it, and checks it to the operator', (t) => {
  const { answer, chain } = openAnswer(sealAnswer(genuine, to), asked)
  t.deepEqual(answer, genuine)
  t.is(chain.scope.role, 'member.lobby.ams3')
})

test('nobody else opens it', (t) => {
  const curve = generateCurveKeyPair()
  t.throws(() => openAnswer(sealAnswer(genuine, to), { ...asked, curve }), {
    code: 'ERR_SEALED_ILLEGAL',
  })
})

test('it is bound to the proof: not even the requestor opens it for another request', (t) => {
  const again = { ...claims, nonce: 'nonce-of-another-one' }
  t.throws(() => openAnswer(sealAnswer(genuine, to), { ...asked, claims: again }), {
    code: 'ERR_SEALED_ILLEGAL',
  })
})

test('the account travels deflated: an answer is shorter than what it says', (t) => {
  const said = Buffer.from(JSON.stringify(genuine)).toString('base64url')
  t.true(sealAnswer(genuine, to).length < said.length)
})

test('the requestor refuses an account that inflates without end, or not at all', (t) => {
  const endless = deflateRawSync(Buffer.alloc(jwtCharactersMax + 1)).toString('base64url')
  for (const account of [endless, 'x', '']) {
    const plaintext = Buffer.from(JSON.stringify({ ...genuine, account }))
    const aad = Buffer.from(to.proof)
    const sealed = seal(to.curve, { info: Buffer.from('archipelago-answer-v1'), aad, plaintext })
    t.throws(() => openAnswer(sealed.toString('base64url'), asked), {
      code: 'ERR_ANSWER_ILLEGAL',
      message: /^account does not inflate: /,
    })
  }
})

const other = makePair('user').publicKey
const expired = makeCredential(trust, 'member.lobby.ams3', { expiresAtSeconds: nowSeconds })
for (const [what, changes, code, message] of [
  [
    'to another request',
    { nonce: 'x' },
    'ERR_ANSWER_ILLEGAL',
    `answer is to another request: ${claims.nkey}`,
  ],
  [
    'to another nkey',
    { nkey: other },
    'ERR_ANSWER_ILLEGAL',
    `answer is to another request: ${other}`,
  ],
  [
    'for another key',
    { jwt: makeCredential(trust, 'member.lobby.ams3', { publicKey: other }) },
    'ERR_ANSWER_ILLEGAL',
    `answer is for another key or name: ${other}`,
  ],
  [
    'for another name',
    { jwt: makeCredential(trust, 'member.lobby.ams3', { name: 'bob' }) },
    'ERR_ANSWER_ILLEGAL',
    `answer is for another key or name: ${claims.nkey}`,
  ],
  [
    'for another role',
    { jwt: makeCredential(trust, 'moderator.invite.ams3') },
    'ERR_ANSWER_ILLEGAL',
    'answer is for another role: moderator.invite.ams3',
  ],
  [
    'of another operator',
    { jwt: makeCredential(foreign, 'member.lobby.ams3'), account: foreign.account.text },
    'ERR_ACCOUNT_FOREIGN',
    `account ${foreign.account.claims.sub}: signed by a foreign operator: ${foreign.signer.publicKey}`,
  ],
  ['that is over', { jwt: expired }, 'ERR_JWT_EXPIRED', undefined],
] as const)
  test(`the requestor refuses an answer ${what}, though it is sealed to it`, (t) => {
    const sealed = sealAnswer({ ...genuine, ...changes }, to)
    const expected = { instanceOf: Refusal, code, ...(message && { message }) }
    t.throws(() => openAnswer(sealed, asked), expected)
  })
