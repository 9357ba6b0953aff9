import test from 'ava'
import fc from 'fast-check'
import { foldName, parseName } from '../../../core/access/name.ts'

for (const name of [
  'a',
  'alice',
  'Alice B. Cooper',
  'Ærø',
  '李小龍',
  "O'Neill",
  '€uro',
  'x'.repeat(32),
])
  test(`takes the name ${name}`, (t) => t.is(parseName(name), name))

test('counts characters, not bytes or code units', (t) => {
  t.is(parseName('𝒳'.repeat(32)), '𝒳'.repeat(32))
})

for (const [what, name, code, message] of [
  ['none', undefined, 'ERR_NAME_MISSING', 'name is missing'],
  ['an empty one', '', 'ERR_NAME_MISSING', 'name is missing'],
  ['a number', 7, 'ERR_NAME_ILLEGAL', 'name is not text'],
  ['null', null, 'ERR_NAME_ILLEGAL', 'name is not text'],
  ['33 characters', 'x'.repeat(33), 'ERR_NAME_TOO_LONG', 'name is over 32 characters'],
  ['a newline', 'a\nb', 'ERR_NAME_ILLEGAL', String.raw`illegal name: 'a\u{a}b'`],
  ['a zero', 'a\0', 'ERR_NAME_ILLEGAL', String.raw`illegal name: 'a\u{0}'`],
  ['an escape', '\u001b[31m', 'ERR_NAME_ILLEGAL', String.raw`illegal name: '\u{1b}[31m'`],
  [
    'a right-to-left override',
    'a\u202eb',
    'ERR_NAME_ILLEGAL',
    String.raw`illegal name: 'a\u{202e}b'`,
  ],
  ['a zero-width joiner', 'a\u200db', 'ERR_NAME_ILLEGAL', String.raw`illegal name: 'a\u{200d}b'`],
  ['half a surrogate pair', 'a\ud800', 'ERR_NAME_ILLEGAL', String.raw`illegal name: 'a\u{d800}'`],
  ['a line separator', 'a\u2028b', 'ERR_NAME_ILLEGAL', String.raw`illegal name: 'a\u{2028}b'`],
  [
    'a space that does not break',
    'a\u00a0b',
    'ERR_NAME_ILLEGAL',
    String.raw`illegal name: 'a\u{a0}b'`,
  ],
  ['an invisible letter', 'a\u3164', 'ERR_NAME_ILLEGAL', "illegal name: 'a\u3164'"],
  ['a blank of Braille', '\u2800', 'ERR_NAME_ILLEGAL', "illegal name: '\u2800'"],
  ['a variation selector', 'a\ufe0f', 'ERR_NAME_ILLEGAL', "illegal name: 'a\ufe0f'"],
  ['a mark without a letter', '\u0301a', 'ERR_NAME_ILLEGAL', "illegal name: '\u0301a'"],
  ['a wildcard', 'a*', 'ERR_NAME_ILLEGAL', "illegal name: 'a*'"],
  ['the other wildcard', '>', 'ERR_NAME_ILLEGAL', "illegal name: '>'"],
  ['a space in front', ' a', 'ERR_NAME_ILLEGAL', "illegal name: ' a'"],
  ['a space at the end', 'a ', 'ERR_NAME_ILLEGAL', "illegal name: 'a '"],
  ['two spaces', 'a  b', 'ERR_NAME_ILLEGAL', "illegal name: 'a  b'"],
  ['a decomposed letter', 'e\u0301', 'ERR_NAME_ILLEGAL', "illegal name: 'e\u0301'"],
] as const)
  test(`refuses ${what}`, (t) => {
    t.throws(() => parseName(name), { code, message })
  })

for (const [a, b] of [
  ['Alice', 'alice'],
  ['ALICE', 'alice'],
  ['\uff41\uff4c\uff49\uff43\uff45', 'alice'],
  ['stra\u00dfe', 'STRASSE'],
  ['\u017fam', 'Sam'],
  ['\ufb01n', 'fin'],
  ['\u2167', 'viii'],
])
  test(`a reader takes ${a} and ${b} for one name`, (t) => {
    t.is(foldName(a ?? ''), foldName(b ?? ''))
  })

test('folding a name again changes nothing', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (name) => {
      t.is(foldName(foldName(name)), foldName(name))
    }),
  )
})

test('a name that is taken is one line of visible text', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 32 }), (text) => {
      let name: string
      try {
        name = parseName(text)
      } catch {
        return
      }
      t.notRegex(name, /[\p{C}\p{Zl}\p{Zp}*>]/u)
      t.is(name, name.trim())
    }),
    { numRuns: 2_000 },
  )
})
