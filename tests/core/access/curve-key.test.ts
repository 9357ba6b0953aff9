import test from 'ava'
import fc from 'fast-check'
import { diffieHellman, createPublicKey } from 'node:crypto'
import { generateCurveKeyPair, parseCurveKey } from '../../../core/access/curve-key.ts'
import { quote } from '../../../core/quote.ts'

const base64url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

const lowOrder = [
  ['0', '00'.repeat(32)],
  ['1', `01${'00'.repeat(31)}`],
  ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
  ['p - 1', `ec${'ff'.repeat(30)}7f`],
] as const

for (const [name, hex] of lowOrder) {
  test(`refuses the point of low order ${name}`, (t) => {
    const text = base64url(hex)
    t.throws(() => parseCurveKey(text), {
      code: 'ERR_CURVE_ILLEGAL',
      message: `curve key is a point of low order: ${text}`,
    })
  })

  test(`the point ${name} is of low order: OpenSSL agrees on nothing with it`, (t) => {
    const key = { kty: 'OKP', crv: 'X25519', x: base64url(hex) }
    const publicKey = createPublicKey({ key, format: 'jwk' })
    const { privateKey } = generateCurveKeyPair()
    t.throws(() => diffieHellman({ publicKey, privateKey }), { message: /derivation/ })
  })
}

for (const [name, hex] of [
  ['p', `ed${'ff'.repeat(30)}7f`],
  ['p + 1', `ee${'ff'.repeat(30)}7f`],
  ['p + 9, that is 9', `f6${'ff'.repeat(30)}7f`],
  ['2^255 + 9, that is 9', `09${'00'.repeat(30)}80`],
  ['2^256 - 1', 'ff'.repeat(32)],
] as const) {
  test(`refuses the second spelling ${name}`, (t) => {
    const text = base64url(hex)
    t.throws(() => parseCurveKey(text), {
      code: 'ERR_CURVE_ILLEGAL',
      message: `curve key is not below 2^255 - 19: ${text}`,
    })
  })
}

const nine = base64url(`09${'00'.repeat(31)}`)

for (const [name, text] of [
  ['nothing', ''],
  ['31 bytes', base64url('09'.repeat(31))],
  ['33 bytes', base64url('09'.repeat(33))],
  ['padding', `${nine}=`],
  ['bits that say nothing', `${nine.slice(0, -1)}B`],
  [
    'base64 of the other alphabet',
    Buffer.from('fb'.repeat(31) + '09', 'hex')
      .toString('base64')
      .slice(0, 43),
  ],
  ['white space', ` ${nine}`],
  ['a line break inside', `${nine.slice(0, 20)}\n${nine.slice(20)}`],
] as const) {
  test(`refuses a curve key with ${name}`, (t) => {
    t.throws(() => parseCurveKey(text), {
      code: 'ERR_CURVE_ILLEGAL',
      message: `curve key is not 32 bytes of base64url: ${quote(text)}`,
    })
  })
}

test('a generated key parses', (t) => {
  for (let time = 0; time < 100; time += 1) {
    const { publicKey } = generateCurveKeyPair()
    t.is(parseCurveKey(publicKey), publicKey)
  }
})

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const spelling = fc.string({
  unit: fc.constantFrom(...alphabet),
  minLength: 43,
  maxLength: 43,
})

test('one key has one spelling', (t) => {
  const parsed = new Map<string, string>()
  const isOnly = fc.property(spelling, fc.constantFrom(...alphabet), (text, last) => {
    for (const spelled of [text, text.slice(0, -1) + last]) {
      try {
        const bytes = Buffer.from(parseCurveKey(spelled), 'base64url').toString('hex')
        t.is(parsed.get(bytes) ?? spelled, spelled)
        parsed.set(bytes, spelled)
      } catch (error) {
        t.like(error, { code: 'ERR_CURVE_ILLEGAL' })
      }
    }
  })
  fc.assert(isOnly, { numRuns: 1000 })
})
