import test from 'ava'
import fc from 'fast-check'
import { generateCurveKeyPair } from '../../../core/access/curve-key.ts'
import { Refusal } from '../../../core/errors.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { parseTokenKey, signTokenKey } from '../../../core/trust/token-key.ts'
import { identity, nowSeconds, operator, signer, stranger } from './example.ts'

const { publicKey: curve } = generateCurveKeyPair()
const expiresAtSeconds = nowSeconds + 3600
const sub = operator.claims.sub as Nkey<'operator'>
const sign = (by = signer, of: Partial<Parameters<typeof signTokenKey>[1]> = {}) =>
  signTokenKey(by, { operator: sub, region: 'ams3', curve, nowSeconds, expiresAtSeconds, ...of })
const { text } = sign()
const parse = (signed: string, at = nowSeconds) =>
  parseTokenKey(signed, { operator, region: 'ams3', nowSeconds: at })

test('a key comes back as it was signed, until its last second is over', (t) => {
  t.is(parse(text), curve)
  t.is(parse(text, expiresAtSeconds - 1), curve)
  t.throws(() => parse(text, expiresAtSeconds), { instanceOf: Refusal })
})

for (const [what, signed, message] of [
  ['a stranger', sign(stranger), `signed by a foreign operator: ${stranger.publicKey}`],
  [
    "the operator's identity key",
    sign(identity),
    `signed by a foreign operator: ${identity.publicKey}`,
  ],
  ['the operator for another region', sign(signer, { region: 'sfo2' }), 'of region sfo2, not ams3'],
] as const)
  test(`a key by ${what} is refused`, (t) => {
    t.throws(() => parse(signed.text), {
      code: 'ERR_TOKEN_KEY_ILLEGAL',
      message: `key for sealed tokens: ${message}`,
    })
  })

test('no character of it can be another one', (t) => {
  const at = fc.nat({ max: text.length - 1 })
  fc.assert(
    fc.property(at, fc.constantFrom(...'aZ0_-.'), (index, by) => {
      const changed = text.slice(0, index) + by + text.slice(index + 1)
      if (changed !== text) t.throws(() => parse(changed), { instanceOf: Refusal })
    }),
  )
})
