import test from 'ava'
import fc from 'fast-check'
import { quote } from '../../../core/quote.ts'
import {
  type SubjectFilter,
  filtersOverlap,
  isSubjectFilter,
  parseSubjectFilter,
  widenSubscribe,
} from '../../../core/network/subject.ts'

for (const text of [
  'a',
  'chat.KUBECON.online',
  'chat.*.posts',
  '*',
  '>',
  '*.*',
  'a.>',
  '$SYS.REQ.>',
  'dms.{{subject()}}',
  'größe.海',
  'a'.repeat(255),
]) {
  test(`'${text.slice(0, 40)}' is a subject filter`, (t) => {
    t.true(isSubjectFilter(text))
    t.is(parseSubjectFilter(text), text as SubjectFilter)
  })
}

for (const text of [
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a b',
  'a\tb',
  'a\nb',
  'a\u0000',
  'a\u007f',
  'a\u00a0b',
  'a\u200bb',
  'a\ud800',
  '>.a',
  'a.>.b',
  'a*',
  '*a',
  'a.b>',
  '**',
  '>>',
  'a'.repeat(256),
  'ü'.repeat(128),
]) {
  const shown = quote(text)
  test(`${shown} is no subject filter`, (t) => {
    t.false(isSubjectFilter(text))
    t.throws(() => parseSubjectFilter(text), {
      code: 'ERR_SUBJECT_ILLEGAL',
      message: `illegal subject filter: ${shown}`,
    })
  })
}

for (const [a, b, overlap] of [
  ['a.b', 'a.b', true],
  ['a.b', 'a.c', false],
  ['a.*', 'a.b', true],
  ['a.*', '*.b', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['a.>', 'a', false],
  ['a.>', 'a.b.c', true],
  ['>', 'a', true],
  ['*.b.>', 'a.>', true],
  ['a.b.>', 'a.*', false],
] as const) {
  test(`${a} and ${b} ${overlap ? 'overlap' : 'do not overlap'}`, (t) => {
    const [left, right] = [parseSubjectFilter(a), parseSubjectFilter(b)]
    t.is(filtersOverlap(left, right), overlap)
    t.is(filtersOverlap(right, left), overlap)
  })
}

// Every subject that could tell two filters of at most three of these tokens apart: one token more
// for what > takes, and a letter that is in neither.
const letters = ['a', 'b', 'c']
const subjects = [1, 2, 3, 4].flatMap(subjectsOf)
const filter = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 2 }),
    fc.constantFrom('a', 'b', '*', '>'),
  )
  .map(([first, last]) => parseSubjectFilter([...first, last].join('.')))

function subjectsOf(length: number): string[][] {
  if (length === 0) return [[]]
  return subjectsOf(length - 1).flatMap((rest) => letters.map((letter) => [letter, ...rest]))
}

function matches(filter: SubjectFilter, subject: readonly string[]): boolean {
  const pattern = filter
    .split('.')
    .map((token) => ({ '*': '[^.]+', '>': '.+' })[token] ?? token)
    .join('\\.')
  return new RegExp(`^${pattern}$`).test(subject.join('.'))
}

test('two filters overlap when some subject is matched by both, and only then', (t) => {
  const agrees = fc.property(filter, filter, (a, b) => {
    const isFound = subjects.some((subject) => matches(a, subject) && matches(b, subject))
    t.is(filtersOverlap(a, b), isFound, `${a} and ${b}`)
  })
  fc.assert(agrees, { numRuns: 1000 })
})

for (const [filter, reach] of [
  ['a.*', 'a.>'],
  ['*', '>'],
  ['a.*.b', 'a.*.b'],
  ['a.b', 'a.b'],
  ['a.>', 'a.>'],
] as const) {
  test(`a permission to subscribe to ${filter} reaches ${reach}`, (t) => {
    t.is(widenSubscribe(parseSubjectFilter(filter)), parseSubjectFilter(reach))
  })
}
