import test from 'ava'
import type { AccountBody, AccountJwt } from '../../../core/trust/account.ts'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import { compareAccount, listOpenings, requirePushable } from '../../../core/trust/push-rules.ts'
import { accountOf, accounts, identity, operator, signer, stranger } from './example.ts'

const account = accountOf('KUBECON')
const { sub, iat, name = '', nats } = account.claims
const [scope] = nats.signing_keys
if (scope === undefined) throw new RangeError('no ceiling')

/** The account with another body, later by some seconds. */
function sign(body: object = {}, { by = signer, later = 0 } = {}): AccountJwt {
  const changed = { ...nats, ...body } as AccountBody
  return encodeJwt({ iat: iat + later, sub, name, nats: changed }, by)
}
const other = { revocations: { [sub]: 1 } }

for (const each of accounts)
  test(`account ${each.claims.name} as it is declared may be pushed`, (t) => {
    t.is(requirePushable(each.text, { operator, held: [] }).text, each.text)
    t.deepEqual(listOpenings(each), [])
  })

for (const [what, held] of [
  ['over nothing', []],
  ['over the same bytes', [account.text]],
  ['over an older one', [sign(other, { later: -1 }).text]],
  ["over a foreign operator's, however new", [sign({}, { by: stranger, later: 9 }).text]],
  ['over what is no JWT', ['garbage']],
] as const)
  test(`an account may be pushed ${what}`, (t) => {
    t.is(requirePushable(account.text, { operator, held }).claims.sub, sub)
  })

for (const [what, later] of [
  ['a newer one', 1],
  ['another one of the same second', 0],
] as const)
  test(`an account may not be pushed over ${what}`, (t) => {
    const held = [account.text, sign(other, { later }).text]
    t.throws(() => requirePushable(account.text, { operator, held }), {
      code: 'ERR_ACCOUNT_OLDER',
      message: `account KUBECON: issued at ${iat}, a server holds another of ${iat + later}`,
    })
  })

for (const [what, by] of [
  ['a stranger', stranger],
  ["the operator's identity key", identity],
] as const)
  test(`an account signed by ${what} may not be pushed`, (t) => {
    t.throws(() => requirePushable(sign({}, { by }).text, { operator, held: [] }), {
      code: 'ERR_ACCOUNT_FOREIGN',
      message: `account ${sub}: signed by a foreign operator: ${by.publicKey}`,
    })
  })

const template = (change: object) => ({
  signing_keys: [{ ...scope, template: { ...scope.template, ...change } }],
})
const what = `ceiling of ${scope.role}`
for (const [title, body, openings] of [
  [
    'tokens without a signature',
    { limits: { ...nats.limits, disallow_bearer: false } },
    ['disallow_bearer is off'],
  ],
  ['no limits', { limits: undefined }, ['disallow_bearer is off']],
  ['a bare signing key', { signing_keys: [sub] }, [`signing key without a ceiling: ${sub}`]],
  ['nothing allowed to publish', template({ pub: { allow: [] } }), [`${what}: pub.allow is empty`]],
  ['no list to publish', template({ pub: {} }), [`${what}: pub.allow is empty`]],
  ['no publish at all', template({ pub: undefined }), [`${what}: pub.allow is empty`]],
  ['nothing allowed to hear', template({ sub: { allow: [] } }), [`${what}: sub.allow is empty`]],
  ['only something denied', template({ sub: { deny: ['a.>'] } }), [`${what}: sub.allow is empty`]],
  ['everything', template({ pub: { allow: ['a.b', '>'] } }), [`${what}: pub.allow holds '>'`]],
  ['every first token', template({ sub: { allow: ['*.>'] } }), [`${what}: sub.allow holds '*.>'`]],
  [
    'every name',
    template({ sub: { allow: ['a.{{name()}}'] } }),
    [`${what}: sub.allow holds 'a.{{name()}}'`],
  ],
  [
    'every tag',
    template({ pub: { allow: ['a_{{tag(b)}}'] } }),
    [`${what}: pub.allow holds 'a_{{tag(b)}}'`],
  ],
  [
    'every connection',
    template({ allowed_connection_types: [] }),
    [`${what}: every type of connection`],
  ],
  [
    'no ceiling',
    { signing_keys: [{ ...scope, template: undefined }] },
    [
      `${what}: pub.allow is empty`,
      `${what}: sub.allow is empty`,
      `${what}: every type of connection`,
    ],
  ],
  [
    'empty default permissions',
    { default_permissions: { pub: {}, sub: {} } },
    ['default_permissions: pub.allow is empty', 'default_permissions: sub.allow is empty'],
  ],
] as const)
  test(`an account that allows ${title} may not be pushed`, (t) => {
    t.deepEqual(listOpenings(sign(body)), [...openings])
    t.throws(() => requirePushable(sign(body).text, { operator, held: [] }), {
      code: 'ERR_ACCOUNT_OPENS_ALL',
      message: `account KUBECON: would stand open: ${openings.join('; ')}`,
    })
  })

const closed = { pub: { allow: ['a'] }, sub: { allow: ['b'] } }
for (const [title, body] of [
  ['a ceiling that denies everything', template({ pub: { deny: ['>'] } })],
  ['an own subject', template({ sub: { allow: ['a.{{subject()}}', 'a.*'] } })],
  ['closed default permissions', { default_permissions: closed }],
  [
    'an empty ceiling with closed default permissions behind it',
    { default_permissions: closed, ...template({ pub: {}, sub: {} }) },
  ],
] as const)
  test(`an account with ${title} may be pushed`, (t) => t.deepEqual(listOpenings(sign(body)), []))

test('half a ceiling is open, whatever stands behind it', (t) => {
  const half = { default_permissions: closed, ...template({ sub: {} }) }
  t.deepEqual(listOpenings(sign(half)), [`${what}: sub.allow is empty`])
})

for (const [held, drift] of [
  [account, 'same'],
  [sign(other, { later: -1 }), 'older'],
  [sign(other), 'same-second'],
  [sign(other, { later: 1 }), 'newer'],
  [sign({}, { by: stranger }), 'foreign'],
  [accountOf('LOBBY'), 'foreign'],
] as const)
  test(`what a server holds is ${drift}: ${held.claims.name}, ${held.claims.iat - iat} s later`, (t) => {
    t.deepEqual(compareAccount(account, held.text, operator), { drift, iat: held.claims.iat })
  })

test('what cannot be read is foreign, and of no time', (t) => {
  t.deepEqual(compareAccount(account, 'garbage', operator), { drift: 'foreign', iat: undefined })
})
