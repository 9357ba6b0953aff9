import test from 'ava'
import * as z from 'zod'
import { parseJson } from '../../core/parse-json.ts'

const shape = z.strictObject({ name: z.string(), keys: z.array(z.strictObject({ at: z.int() })) })
const parse = (text: string) =>
  parseJson(text, shape, { what: 'list of keys', code: 'ERR_REGION_KEYS_ILLEGAL' })

test('what has the shape is read', (t) => {
  t.deepEqual(parse('{"name":"a","keys":[{"at":1}]}'), { name: 'a', keys: [{ at: 1 }] })
})

for (const [what, text, message] of [
  ['no JSON', '{', /^illegal list of keys: not JSON$/],
  ['nothing', '', /^illegal list of keys: not JSON$/],
  ['a list', '[]', /^illegal list of keys: Invalid input: expected object/],
  [
    'an unknown field',
    '{"name":"a","keys":[],"b":1}',
    /^illegal list of keys: Unrecognized key: "b"/,
  ],
  ['a field of another type', '{"name":1,"keys":[]}', /^illegal list of keys: name: /],
  [
    'a wrong place deep inside',
    '{"name":"a","keys":[{"at":0.5}]}',
    /^illegal list of keys: keys\.0\.at: /,
  ],
] as const)
  test(`${what} is refused, and the place is named`, (t) => {
    t.throws(() => parse(text), { code: 'ERR_REGION_KEYS_ILLEGAL', message })
  })

test('a refusal repeats nothing of the text', (t) => {
  const error = t.throws(() => parse('{"name":"a secret'))
  t.is(error?.cause, undefined)
  t.notRegex(String(error?.stack), /secret/)
})
