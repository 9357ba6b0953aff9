import * as peer from '@nats-io/jwt'
import { fromSeed } from '@nats-io/nkeys'
import test from 'ava'
import { formatCreds, parseCreds } from '../../../core/trust/creds.ts'
import type { Nkey } from '../../../core/trust/nkey.ts'
import { signUser } from '../../../core/trust/user.ts'
import { accountOf, nowSeconds, pairOf } from './example.ts'

const pair = pairOf('user', 'alice')
const other = pairOf('user', 'bob')
const user = signUser(pairOf('account', 'member.lobby.ams3'), {
  publicKey: pair.publicKey,
  name: 'alice',
  account: accountOf('KUBECON').claims.sub as Nkey<'account'>,
  issuedAtSeconds: nowSeconds,
  expiresAtSeconds: nowSeconds + 3600,
})
const good = formatCreds(user.text, pair.seed)

test('a creds file comes back', (t) => {
  const creds = parseCreds(good)
  t.deepEqual(creds.user, user)
  t.is(creds.pair.seed, pair.seed)
})

test('jwt.js reads the file, and its own is read here', async (t) => {
  t.like(await peer.parseCreds(Buffer.from(good)), { key: pair.seed, jwt: user.text })
  const theirs = peer.fmtCreds(user.text, fromSeed(Buffer.from(pair.seed)))
  t.is(parseCreds(Buffer.from(theirs).toString()).user.text, user.text)
})

test('lines may end as on Windows', (t) => {
  t.is(parseCreds(good.replaceAll('\n', '\r\n')).user.text, user.text)
})

for (const [what, text] of [
  ['nothing', ''],
  ['a JWT alone', good.slice(0, good.indexOf('***'))],
  ['a seed alone', good.slice(good.indexOf('***'))],
  ['a file cut in the middle of its seed', good.slice(0, good.indexOf(pair.seed) + 20)],
] as const)
  test(`${what} is no creds file`, (t) => {
    t.throws(() => parseCreds(text), {
      code: 'ERR_CREDS_ILLEGAL',
      message: 'illegal creds file: no JWT and seed in it',
    })
  })

test('the seed of another user is refused', (t) => {
  t.throws(() => parseCreds(formatCreds(user.text, other.seed)), {
    code: 'ERR_CREDS_ILLEGAL',
    message: `illegal creds file: seed is not of ${pair.publicKey}`,
  })
})

test('no refusal repeats the seed', (t) => {
  const spoilt = formatCreds(user.text, `${pair.seed}A`)
  const error = t.throws(() => parseCreds(spoilt), {
    code: 'ERR_SEED_ILLEGAL',
    message: 'illegal user seed: 59 characters',
  })
  t.false(JSON.stringify(error).includes(pair.seed))
})
