import test from 'ava'
import { array, assert, property, uint8Array } from 'fast-check'
import { formatPem, parseOnePem, parsePem } from '../../../core/identity/pem.ts'

const label = 'CERTIFICATE'

test('what is written is read again, one or several, with either line end', (t) => {
  assert(
    property(array(uint8Array({ minLength: 1, maxLength: 500 }), { minLength: 1 }), (ders) => {
      const text = ders.map((der) => formatPem(label, der)).join('')
      const wanted = ders.map((der) => Buffer.from(der))
      t.deepEqual(parsePem(label, text), wanted)
      t.deepEqual(parsePem(label, text.replaceAll('\n', '\r\n')), wanted)
      t.deepEqual(parsePem(label, text.replaceAll('-----BEGIN', '\n-----BEGIN')), wanted)
    }),
  )
  t.pass()
})

const good = formatPem(label, Buffer.alloc(100))
const refused: readonly [string, string][] = [
  ['nothing', ''],
  ['text', 'hello'],
  ['text before it', `hello\n${good}`],
  ['text between', `${good}hello\n${good}`],
  ['no end', good.slice(0, 60)],
  ['another label', good.replaceAll(label, 'X509 CRL')],
  ['two labels', good.replace(`END ${label}`, 'END X')],
  ['a header', good.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n')],
  ['no base64', good.replace('AAAA', 'AA*A')],
  ['stray bits', good.replace('AA==', 'AB==')],
  ['blocks glued together', good.trim() + good],
  ['over a mebibyte', good.padEnd(1024 * 1024 + 1)],
]
for (const [what, text] of refused)
  test(`refused: ${what}`, (t) => {
    t.throws(() => parsePem(label, text), { code: 'ERR_PEM_ILLEGAL', message: /^illegal PEM/ })
  })

test('one is one', (t) => {
  t.notThrows(() => parseOnePem(label, good))
  t.throws(() => parseOnePem(label, good + good), {
    code: 'ERR_PEM_ILLEGAL',
    message: 'illegal PEM, not CERTIFICATE: 2 blocks',
  })
})
