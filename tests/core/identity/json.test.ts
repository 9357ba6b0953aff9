import test from 'ava'
import { assert, jsonValue, property, string } from 'fast-check'
import { parseUniqueJson } from '../../../core/identity/json.ts'

const parse = (text: string) => parseUniqueJson(text, { what: 'text', code: 'ERR_JWS_ILLEGAL' })

test('JSON without repeated names is what JSON.parse makes of it', (t) => {
  assert(
    property(jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value)
      t.deepEqual(parse(text), JSON.parse(text) as unknown)
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('a name twice is refused, whatever it is and wherever it stands', (t) => {
  assert(
    property(string(), string(), jsonValue({ maxDepth: 2 }), (name, other, value) => {
      const [key, inside] = [JSON.stringify(name), JSON.stringify(value)]
      const twice = `{${key}:${inside},${JSON.stringify(`${other}x`)}:1,${key}:${inside}}`
      for (const text of [twice, `[${twice}]`, `{"a":{"b":[1,${twice}]}}`])
        t.throws(() => parse(text), {
          code: 'ERR_JWS_ILLEGAL',
          message: /^illegal text: two members/,
        })
    }),
  )
  t.pass()
})

test('the same name in two objects is no repetition', (t) => {
  t.notThrows(() => parse('{"a":{"a":1},"b":[{"a":1},{"a":{"a":2}}]}'))
  t.notThrows(() => parse(String.raw`{"a":"\"a\":{","b":":,\\"}`))
})

for (const text of ['', '{', '{"a":1,}', "{'a':1}", '[1 2]', '{"a":1}{"b":1}', '\u0000'])
  test(`not JSON: ${JSON.stringify(text)}`, (t) => {
    t.throws(() => parse(text), { message: 'illegal text: not JSON' })
  })

test('nesting has an end', (t) => {
  t.notThrows(() => parse('['.repeat(32) + ']'.repeat(32)))
  t.throws(() => parse('['.repeat(33) + ']'.repeat(33)), {
    message: 'illegal text: deeper than 32',
  })
  t.throws(() => parse('['.repeat(1e6) + ']'.repeat(1e6)), { code: 'ERR_JWS_ILLEGAL' })
})
