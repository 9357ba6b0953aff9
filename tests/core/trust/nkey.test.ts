import * as peer from '@nats-io/nkeys'
import test from 'ava'
import { assert, constantFrom, property, uint8Array } from 'fast-check'
import {
  isNkey,
  isSignedBy,
  nkeyPairFrom,
  parseNkey,
  parseSeed,
  signWith,
  type Nkey,
} from '../../../core/trust/nkey.ts'
import { pairOf } from './example.ts'

const roles = ['operator', 'account', 'user', 'server'] as const
const role = constantFrom(...roles)
const entropy = uint8Array({ minLength: 32, maxLength: 32 })
const pair = pairOf('user', 'alice')

test('pairs are those that nkeys.js makes of the same seed', (t) => {
  assert(
    property(role, entropy, (role, entropy) => {
      const made = nkeyPairFrom(role, entropy)
      const theirs = peer.fromSeed(Buffer.from(made.seed))
      t.is(theirs.getPublicKey(), made.publicKey)
      t.deepEqual(
        parseSeed(role, Buffer.from(theirs.getSeed()).toString()).publicKey,
        made.publicKey,
      )
    }),
    { numRuns: 20 },
  )
  t.pass()
})

test('signatures are checked by nkeys.js, and those of nkeys.js here', (t) => {
  assert(
    property(entropy, uint8Array({ maxLength: 200 }), (entropy, data) => {
      const made = nkeyPairFrom('account', entropy)
      const theirs = peer.fromSeed(Buffer.from(made.seed))
      t.true(theirs.verify(data, signWith(made, data)))
      t.true(isSignedBy(made.publicKey, data, theirs.sign(data)))
    }),
    { numRuns: 10 },
  )
  t.pass()
})

for (const [role, letter] of [
  ['operator', 'O'],
  ['account', 'A'],
  ['user', 'U'],
  ['server', 'N'],
] as const)
  test(`a key of role ${role} has 56 characters and begins with ${letter}`, (t) => {
    const { publicKey, seed } = nkeyPairFrom(role, Buffer.alloc(32))
    t.regex(publicKey, new RegExp(`^${letter}[A-Z2-7]{55}$`))
    t.regex(seed, new RegExp(`^S${letter}[A-Z2-7]{56}$`))
    t.is(parseNkey(role, publicKey), publicKey)
  })

const flipped = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

for (const [what, text] of [
  ['nothing', ''],
  ['a key of another role', pairOf('account', 'alice').publicKey],
  ['a seed', pair.seed],
  ['a key with a wrong checksum', flipped(pair.publicKey, 30)],
  ['a key with a character too few', pair.publicKey.slice(0, -1)],
  ['a key with a character too many', `${pair.publicKey}A`],
  ['a key in lower case', pair.publicKey.toLowerCase()],
  ['a key with white space', `${pair.publicKey}\n`],
  ['a text without an end', 'U'.repeat(100_000)],
] as const) {
  test(`${what} is not a user's key`, (t) => {
    t.false(isNkey('user', text))
    t.throws(() => parseNkey('user', text), {
      code: 'ERR_NKEY_ILLEGAL',
      message: `illegal user key: '${text.slice(0, 64)}'`,
    })
  })
}

for (const [what, text] of [
  ['nothing', ''],
  ['the seed of another role', pairOf('account', 'alice').seed],
  ['a public key', pair.publicKey],
  ['a seed with a wrong checksum', flipped(pair.seed, 30)],
  ['a seed with a character too few', pair.seed.slice(0, -1)],
] as const)
  test(`${what} is not a user's seed, and is not repeated`, (t) => {
    t.throws(() => parseSeed('user', text), {
      code: 'ERR_SEED_ILLEGAL',
      message: `illegal user seed: ${text.length} characters`,
    })
  })

for (const length of [0, 31, 33])
  test(`${length} bytes make no key`, (t) => {
    t.throws(() => nkeyPairFrom('user', Buffer.alloc(length)), {
      instanceOf: RangeError,
      message: `nkey entropy: ${length} bytes`,
    })
  })

const data = Buffer.from('ahoy')
const signature = signWith(pair, data)
for (const [what, key, signed, by] of [
  ['another text', pair.publicKey, Buffer.from('ahoi'), signature],
  ['another key', pairOf('user', 'bob').publicKey, data, signature],
  ['no key at all', 'U' as Nkey, data, signature],
  ['a signature of another length', pair.publicKey, data, signature.subarray(1)],
  ['an empty signature', pair.publicKey, data, new Uint8Array()],
] as const)
  test(`a signature does not hold for ${what}`, (t) => t.false(isSignedBy(key, signed, by)))
