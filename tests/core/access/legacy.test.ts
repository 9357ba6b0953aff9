import test from 'ava'
import fc from 'fast-check'
import {
  decideLegacy,
  formatLegacyRefusal,
  issueLegacyCreds,
  parseLegacyName,
} from '../../../core/access/legacy.ts'
import type { NkeyPair } from '../../../core/trust/nkey.ts'
import { edited } from '../archipelago/example.ts'
import { makePair, makeTrust, nowSeconds } from './trust.ts'

const trust = makeTrust({ yaml: edited('doors: [lobby]', 'doors: [lobby, legacy]') })
const legacy = trust.context('legacy')

for (const [sent, name] of [
  ['alice', 'alice'],
  ['Alice Cooper', 'alice'],
  ['alice\n', 'alice'],
  ['ALEXANDER', 'alexande'],
  ['Жанна', 'жанн'],
  ['12345678', '12345678'],
] as const)
  test(`${JSON.stringify(sent)} is the name ${name}`, (t) => {
    t.is(parseLegacyName(Buffer.from(sent)), name)
  })

for (const [what, bytes, code, message] of [
  ['nothing', Buffer.alloc(0), 'ERR_NAME_MISSING', 'Name can not be empty'],
  ['white space', Buffer.from('  '), 'ERR_NAME_MISSING', 'Name can not be empty'],
  [
    'a control character',
    Buffer.from('a\u001b'),
    'ERR_NAME_ILLEGAL',
    String.raw`illegal name: 'a\u{1b}'`,
  ],
  ['a wildcard', Buffer.from('>'), 'ERR_NAME_ILLEGAL', "illegal name: '>'"],
  ['bytes that are not UTF-8', Buffer.from([0xff]), 'ERR_NAME_ILLEGAL', 'illegal name: not UTF-8'],
  [
    '4097 bytes',
    Buffer.alloc(4097, 'a'),
    'ERR_REQUEST_OVERSIZE',
    'request: 4097 bytes, 4096 at most',
  ],
] as const)
  test(`refuses ${what}`, (t) => {
    t.throws(() => parseLegacyName(bytes), { code, message })
  })

test('a name is at most eight bytes of whole characters, or refused', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        const name = parseLegacyName(Buffer.from(text))
        t.true(Buffer.byteLength(name) <= 8)
        t.true(text.toLowerCase().startsWith(name))
      } catch (error) {
        t.regex((error as { code: string }).code, /^ERR_NAME_/)
      }
    }),
  )
})

test('gives the one role with this door, for its life', (t) => {
  const grant = decideLegacy(Buffer.from('alice'), legacy)
  t.is(grant.role.name, 'member')
  t.is(grant.expiresAtSeconds - grant.issuedAtSeconds, 3600)
})

test('refuses a denied name', (t) => {
  const denyList = trust.denyList({ names: ['Alice'] })
  t.throws(() => decideLegacy(Buffer.from('alice'), trust.context('legacy', { denyList })), {
    code: 'ERR_NAME_DENIED',
    message: "name is denied: 'alice'",
  })
})

test('refuses where no role has this door', (t) => {
  const shut = makeTrust()
  t.throws(() => decideLegacy(Buffer.from('alice'), shut.context('legacy')), {
    code: 'ERR_ROLE_DOOR',
    message: 'no role is given at this door: legacy',
  })
})

test("writes the creds file of the tutorial's function, line by line", (t) => {
  const pair = makePair('user')
  const key = trust.keys.get('member.legacy.ams3') as NkeyPair<'account'>
  const { user, creds } = issueLegacyCreds(decideLegacy(Buffer.from('alice'), legacy), {
    pair,
    signer: { key, account: trust.account },
    region: 'ams3',
  })
  t.deepEqual(creds.split('\n'), [
    '',
    '-----BEGIN NATS USER JWT-----',
    user.text,
    '------END NATS USER JWT------',
    '',
    '************************* IMPORTANT *************************',
    'Private NKEYs are sensitive and should be treated as secrets.',
    '',
    '-----BEGIN USER PRIVATE KEY-----',
    pair.seed,
    '------END USER PRIVATE KEY------',
    '',
    '*************************************************************',
    '',
    '# Provisioned by NATS team',
    '# Server ID/LOC: "ams3"',
    '',
  ])
  t.is(user.claims.exp, nowSeconds + 3600)
})

test('a refusal is one line in quotes', (t) => {
  t.is(formatLegacyRefusal('Name can not be empty'), "-ERR 'Name can not be empty'")
  t.is(formatLegacyRefusal("illegal name: 'a'"), `-ERR 'illegal name: "a"'`)
})
