import test from 'ava'
import { array, assert, bigInt, integer, property, uint8Array } from 'fast-check'
import {
  derTag,
  encodeDer,
  encodeObjectId,
  readBits,
  readBoolean,
  readDer,
  readInside,
  readInteger,
  readObjectId,
  readSmallInteger,
  readTime,
} from '../../../core/identity/der.ts'
import { Refusal } from '../../../core/errors.ts'
import { time } from './forge.ts'

test('what is encoded is read again', (t) => {
  assert(
    property(array(uint8Array({ maxLength: 300 }), { maxLength: 20 }), (contents) => {
      const parts = contents.map((content) => encodeDer(derTag.octetString, content))
      const inside = readInside(readDer(encodeDer(derTag.sequence, ...parts)))
      t.deepEqual(
        inside.map(({ content }) => content),
        contents.map((content) => Buffer.from(content)),
      )
    }),
  )
  t.pass()
})

test('a large element is read again', (t) => {
  for (const size of [127, 128, 255, 256, 65_535, 65_536])
    t.is(readDer(encodeDer(derTag.octetString, Buffer.alloc(size))).content.length, size)
})

test('an object id is read again', (t) => {
  const arc = bigInt({ min: 0n, max: 2n ** 40n }).map(Number)
  assert(
    property(
      integer({ min: 0, max: 2 }),
      integer({ min: 0, max: 39 }),
      array(arc),
      (a, b, more) => {
        const id = [a, b, ...more].join('.')
        t.is(readObjectId(readDer(encodeObjectId(id))), id)
      },
    ),
  )
  t.is(readObjectId(readDer(encodeObjectId('2.999.1'))), '2.999.1')
})

test('a time is read again, in both of its forms', (t) => {
  assert(
    property(integer({ min: Date.parse('1950-01-01') / 1000, max: 253_402_300_799 }), (seconds) => {
      t.is(readTime(readDer(time(seconds * 1000))), seconds * 1000)
    }),
  )
  t.pass()
})

const hex = (text: string) => readDer(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const text = (tag: number, of: string) => readDer(encodeDer(tag, Buffer.from(of)))

const refused: readonly [string, () => unknown][] = [
  ['nothing', () => hex('')],
  ['a tag alone', () => hex('30')],
  ['a length beyond the end', () => hex('0402 01')],
  ['an element behind it', () => hex('0500 0500')],
  ['an indefinite length', () => hex('3080 0000')],
  ['a length in more bytes than needed', () => hex('048101 00')],
  ['a length with a leading zero', () => hex(`048200ff${'00'.repeat(255)}`)],
  ['a length of four bytes', () => hex('0484 00000001 00')],
  ['a tag of two bytes', () => hex('1f8101 00')],
  ['a boolean of 01', () => readBoolean(hex('0101 01'))],
  ['a boolean of two bytes', () => readBoolean(hex('0102 ffff'))],
  ['an empty integer', () => readInteger(hex('0200'))],
  ['an integer with a leading zero', () => readInteger(hex('0202 0001'))],
  ['an integer with a leading ff', () => readInteger(hex('0202 ff80'))],
  ['a small integer that is negative', () => readSmallInteger(hex('0201 80'))],
  ['a small integer that is large', () => readSmallInteger(hex('0205 0100000000'))],
  ['a bit string without its count', () => readBits(hex('0300'))],
  ['a bit string of nothing, less one', () => readBits(hex('0301 01'))],
  ['a bit string with 8 unused bits', () => readBits(hex('0302 0800'))],
  ['a bit string with stray bits', () => readBits(hex('0302 0101'))],
  ['an empty object id', () => readObjectId(hex('0600'))],
  ['an object id that is cut', () => readObjectId(hex('0602 5581'))],
  ['an object id with a leading 80', () => readObjectId(hex('0603 558001'))],
  ['an object id beyond counting', () => readObjectId(hex('060a 55ffffffffffffffff7f'))],
  ['30 February', () => readTime(text(derTag.utcTime, '260230000000Z'))],
  ['the 25th hour', () => readTime(text(derTag.utcTime, '260101250000Z'))],
  ['a time without seconds', () => readTime(text(derTag.utcTime, '2601010000Z'))],
  ['a time with a zone', () => readTime(text(derTag.utcTime, '260101000000+0000'))],
  ['a time with a fraction', () => readTime(text(derTag.generalizedTime, '20600101000000.5Z'))],
  ['2049 in the longer form', () => readTime(text(derTag.generalizedTime, '20490101000000Z'))],
  ['a time that is a number', () => readTime(hex('0201 01'))],
]

for (const [what, read] of refused)
  test(`refused: ${what}`, (t) => {
    t.throws(read, { code: 'ERR_DER_ILLEGAL', message: /^illegal DER: / })
  })

test('whatever is not refused has one encoding', (t) => {
  assert(
    property(uint8Array({ maxLength: 12 }), (bytes) => {
      try {
        const { tag, content } = readDer(bytes)
        t.deepEqual(encodeDer(tag, content), Buffer.from(bytes))
      } catch (error) {
        t.true(error instanceof Refusal)
      }
    }),
    { numRuns: 2000 },
  )
  t.pass()
})
