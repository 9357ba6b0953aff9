import test from 'ava'
import { array, assert, constantFrom, property, string, stringMatching } from 'fast-check'
import { Refusal, type RefusalCode } from '../../../core/errors.ts'
import {
  formatSpiffeId,
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  trustDomainOf,
} from '../../../core/identity/spiffe-id.ts'

const domain = stringMatching(/^[a-z0-9._-]{1,255}$/)
const segment = stringMatching(/^[A-Za-z0-9._-]{1,40}$/).filter(
  (text) => text !== '.' && text !== '..',
)

const good = [
  'spiffe://example',
  'spiffe://example/a',
  'spiffe://ams3.example/nats/server-0',
  'spiffe://a-b_c.d/A/b_C.d-e/...',
  'spiffe://1.2.3.4/x',
  'spiffe://-/..x',
  `spiffe://${'d'.repeat(255)}/x`,
  `spiffe://d/${'x'.repeat(2037)}`,
]

for (const text of good)
  test(`a SPIFFE ID: ${text.slice(0, 60)}`, (t) => {
    t.is(String(parseSpiffeId(text)), text)
    t.is(`spiffe://${trustDomainOf(parseSpiffeId(text))}${pathOf(parseSpiffeId(text))}`, text)
  })

const bad: readonly [RefusalCode, readonly string[]][] = [
  [
    'ERR_SPIFFE_ID_SCHEME',
    ['', 'spiffe', 'spiffe:/a/b', 'spiffe:a', 'Spiffe://a/b', ' spiffe://a'],
  ],
  [
    'ERR_SPIFFE_ID_TRUST_DOMAIN',
    [
      'spiffe://',
      'spiffe:///a',
      'spiffe://A/b',
      'spiffe://a:1/b',
      'spiffe://a@b/c',
      'spiffe://a%2f/b',
      'spiffe://[::1]/b',
      'spiffe://a?b',
      'spiffe://a#b',
      'spiffe://ä/b',
      'spiffe://a\n/b',
      `spiffe://${'d'.repeat(256)}/x`,
    ],
  ],
  ['ERR_SPIFFE_ID_SEGMENT_EMPTY', ['spiffe://a/', 'spiffe://a//b', 'spiffe://a/b/']],
  ['ERR_SPIFFE_ID_SEGMENT_DOTS', ['spiffe://a/.', 'spiffe://a/../b', 'spiffe://a/b/..']],
  [
    'ERR_SPIFFE_ID_SEGMENT',
    [
      'spiffe://a/%41',
      'spiffe://a/b?c',
      'spiffe://a/b#c',
      'spiffe://a/b c',
      'spiffe://a/ü',
      'spiffe://a/b\n',
    ],
  ],
  ['ERR_SPIFFE_ID_TOO_LONG', [`spiffe://d/${'x'.repeat(2038)}`]],
]

for (const [code, texts] of bad)
  for (const text of texts)
    test(`${code}: ${JSON.stringify(text.slice(0, 60))}`, (t) => {
      t.throws(() => parseSpiffeId(text), { code, message: /^illegal SPIFFE ID: / })
    })

test('what is put together from parts comes apart into them', (t) => {
  assert(
    property(domain, array(segment, { maxLength: 8 }), (name, segments) => {
      const id = formatSpiffeId(parseTrustDomain(name), ...segments)
      t.is(String(trustDomainOf(id)), name)
      t.is(pathOf(id), segments.map((each) => `/${each}`).join(''))
      t.is(parseSpiffeId(id), id)
    }),
  )
  t.pass()
})

test('no segment of one part becomes two', (t) => {
  const name = parseTrustDomain('a')
  for (const segment of ['', '.', '..', 'a/b', 'a%2fb', '/'])
    t.throws(() => formatSpiffeId(name, 'x', segment), { instanceOf: Refusal })
})

test('whatever is parsed is of the alphabet, and has no second form', (t) => {
  const pieces = array(
    constantFrom('spiffe://', '/', '.', '..', '%2e', 'a', 'B', ':', '@', '?', '#', '\\', '\u0000'),
    { maxLength: 10 },
  )
  assert(
    property(pieces, string(), (parts, rest) => {
      for (const text of [parts.join(''), `spiffe://${parts.join('')}`, `spiffe://a/${rest}`]) {
        try {
          const id = parseSpiffeId(text)
          t.regex(id, /^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/)
          t.notRegex(pathOf(id), /\/\.{1,2}(\/|$)/)
          t.is(new URL(id).pathname, pathOf(id))
        } catch (error) {
          t.true(error instanceof Refusal)
        }
      }
    }),
    { numRuns: 500 },
  )
  t.pass()
})
