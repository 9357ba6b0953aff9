import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import test from 'ava'
import fc from 'fast-check'
import { createPrivateKey } from 'node:crypto'
import {
  generateCurveKeyPair,
  parseCurveKey,
  type CurveKeyPair,
} from '../../../core/access/curve-key.ts'
import { encapsulate, encapsulateFrom, open, seal, sealWith } from '../../../core/access/hpke.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

// RFC 9180 A.1.1, and the first message of A.1.1.1.
const vector = {
  ephemeral: {
    public: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
    private: '52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736',
  },
  recipient: {
    public: '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
    private: '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
  },
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  aad: hex('436f756e742d30'),
  plaintext: hex('4265617574792069732074727574682c20747275746820626561757479'),
  enc: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
  ciphertext:
    'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
}

function keyPair(raw: { public: string; private: string }): CurveKeyPair {
  const x = parseCurveKey(hex(raw.public).toString('base64url'))
  const d = hex(raw.private).toString('base64url')
  const key = { kty: 'OKP', crv: 'X25519', x, d }
  return { publicKey: x, privateKey: createPrivateKey({ key, format: 'jwk' }) }
}

test('seals as RFC 9180 A.1.1 does', (t) => {
  const recipient = keyPair(vector.recipient).publicKey
  const encapsulated = encapsulateFrom(keyPair(vector.ephemeral), recipient)
  t.is(sealWith(encapsulated, vector).toString('hex'), vector.enc + vector.ciphertext)
})

test('opens what RFC 9180 A.1.1 sealed', (t) => {
  const sealed = hex(vector.enc + vector.ciphertext)
  t.deepEqual(open(keyPair(vector.recipient), { ...vector, sealed }), vector.plaintext)
})

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes128Gcm(),
})

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const message = fc.record({ info: bytes(200), aad: bytes(300), plaintext: bytes(2048) })
const buffer = (view: Uint8Array) => Uint8Array.from(view).buffer

test('another implementation opens what this one seals', async (t) => {
  const keys = await suite.kem.generateKeyPair()
  const raw = Buffer.from(await suite.kem.serializePublicKey(keys.publicKey))
  const recipient = parseCurveKey(raw.toString('base64url'))
  const opens = fc.asyncProperty(message, async ({ info, aad, plaintext }) => {
    const sealed = seal(recipient, { info, aad, plaintext })
    const opened = await suite.open(
      { recipientKey: keys.privateKey, enc: buffer(sealed.subarray(0, 32)), info: buffer(info) },
      buffer(sealed.subarray(32)),
      buffer(aad),
    )
    t.deepEqual(new Uint8Array(opened), plaintext)
  })
  await fc.assert(opens)
})

test('this implementation opens what another one seals', async (t) => {
  const recipient = generateCurveKeyPair()
  const raw = Buffer.from(recipient.publicKey, 'base64url')
  const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(raw))
  const opens = fc.asyncProperty(message, async ({ info, aad, plaintext }) => {
    const { enc, ct } = await suite.seal(
      { recipientPublicKey, info: buffer(info) },
      buffer(plaintext),
      buffer(aad),
    )
    const sealed = Buffer.concat([new Uint8Array(enc), new Uint8Array(ct)])
    t.deepEqual(new Uint8Array(open(recipient, { info, aad, sealed })), plaintext)
  })
  await fc.assert(opens)
})

test('opens what was encapsulated by another thread', async (t) => {
  const keys = generateCurveKeyPair()
  const [one, other] = [await encapsulate(keys.publicKey), await encapsulate(keys.publicKey)]
  t.notDeepEqual(one.enc, other.enc)
  t.notDeepEqual(one.secret, other.secret)
  const sealed = sealWith(one, vector)
  t.deepEqual(open(keys, { ...vector, sealed }), vector.plaintext)
})

test('no two seals of one message are alike', (t) => {
  const { publicKey } = generateCurveKeyPair()
  const [one, other] = [seal(publicKey, vector), seal(publicKey, vector)]
  t.notDeepEqual(one.subarray(0, 32), other.subarray(0, 32))
  t.notDeepEqual(one.subarray(32), other.subarray(32))
})

const recipient = generateCurveKeyPair()
const sealed = seal(recipient.publicKey, vector)
const closed = {
  code: 'ERR_SEALED_ILLEGAL',
  message: `sealed message does not open with the key ${recipient.publicKey}`,
}

test('opens no message of which any bit is changed', (t) => {
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = sealed.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    t.throws(() => open(recipient, { ...vector, sealed: changed }), closed, `bit ${bit}`)
  }
})

test('opens no message of which bytes are missing or added', (t) => {
  for (let length = 48; length < sealed.length; length += 1) {
    t.throws(() => open(recipient, { ...vector, sealed: sealed.subarray(0, length) }), closed)
  }
  t.throws(() => open(recipient, { ...vector, sealed: sealed.subarray(1) }), closed)
  t.throws(() => open(recipient, { ...vector, sealed: Buffer.concat([sealed, hex('00')]) }), closed)
})

for (const length of [0, 1, 31, 32, 47]) {
  test(`refuses ${length} bytes as too short`, (t) => {
    t.throws(() => open(recipient, { ...vector, sealed: sealed.subarray(0, length) }), {
      code: 'ERR_SEALED_ILLEGAL',
      message: `sealed message is too short: ${length} bytes`,
    })
  })
}

test('opens an empty message, the shortest there is', (t) => {
  const empty = seal(recipient.publicKey, { ...vector, plaintext: hex('') })
  t.is(empty.length, 48)
  t.is(open(recipient, { ...vector, sealed: empty }).length, 0)
})

test('opens nothing for another purpose, context or key', (t) => {
  const other = generateCurveKeyPair()
  t.throws(() => open(recipient, { ...vector, info: hex('00'), sealed }), closed)
  t.throws(() => open(recipient, { ...vector, aad: hex('00'), sealed }), closed)
  t.throws(() => open(other, { ...vector, sealed }), { code: 'ERR_SEALED_ILLEGAL' })
})

test('opens nothing of which the ephemeral key is a point of low order', (t) => {
  for (const point of ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`]) {
    const forged = Buffer.concat([hex(point), sealed.subarray(32)])
    t.throws(() => open(recipient, { ...vector, sealed: forged }), closed)
  }
})
