import test from 'ava'
import { quote } from '../../core/quote.ts'

for (const [text, quoted] of [
  ['', `''`],
  ['a b', `'a b'`],
  ['größe 海 🦀', `'größe 海 🦀'`],
  ['a\nb', String.raw`'a\u{a}b'`],
  ['\u001b[31m', String.raw`'\u{1b}[31m'`],
  ['a\u00a0b\u2028c', String.raw`'a\u{a0}b\u{2028}c'`],
  ['\u202eabc\u200b', String.raw`'\u{202e}abc\u{200b}'`],
  ['\ud800', String.raw`'\u{d800}'`],
  ['a'.repeat(80), `'${'a'.repeat(80)}'`],
  ['a'.repeat(81), `'${'a'.repeat(80)}…'`],
] as const) {
  test(`quotes ${JSON.stringify(text).slice(0, 90)} as ${quoted}`, (t) => t.is(quote(text), quoted))
}
