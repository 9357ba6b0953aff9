import test from 'ava'
import { assert, property, string, uint8Array } from 'fast-check'
import { decodeBase32, encodeBase32 } from '../../../core/trust/base32.ts'

// RFC 4648, section 10, without the padding.
for (const [text, encoded] of [
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
] as const)
  test(`'${text}' is '${encoded}' in base32, and back`, (t) => {
    t.is(encodeBase32(Buffer.from(text)), encoded)
    t.deepEqual(Buffer.from(decodeBase32(encoded) ?? []), Buffer.from(text))
  })

for (const [what, text] of [
  ['lower case', 'mzxw6'],
  ['padding', 'MY======'],
  ['a digit that looks like a letter', 'MZXW1'],
  ['a length that no bytes have', 'MZX'],
  ['bits that are left over', 'MZ'],
  ['white space', 'MZXW6 '],
  ['a letter of another alphabet', 'MZXWÄ'],
] as const)
  test(`${what} is not base32`, (t) => t.is(decodeBase32(text), undefined))

test('any bytes come back', (t) => {
  assert(
    property(uint8Array({ maxLength: 80 }), (bytes) => {
      t.deepEqual(decodeBase32(encodeBase32(bytes)), bytes)
    }),
  )
  t.pass()
})

test('a text has no second spelling', (t) => {
  assert(
    property(string({ maxLength: 20 }), (text) => {
      const bytes = decodeBase32(text)
      if (bytes !== undefined) t.is(encodeBase32(bytes), text)
    }),
  )
  t.pass()
})
