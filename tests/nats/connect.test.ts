import test from 'ava'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { UserBody } from '../../core/trust/user.ts'
import { connectWithCreds, connectWithNkey } from '../../nats/connect.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { startTestServer } from '../test-server.ts'

const pair = makeNkeyPair('user')

test('a credential that no server takes is refused, although the client would reconnect for ever', async (t) => {
  const nkeyOfOther = makeNkeyPair('user').publicKey
  await using server = await startTestServer({ authorization: { users: [{ nkey: nkeyOfOther }] } })
  const target = { servers: [server.url, server.url], ca: '', name: 'test', options: { tls: null } }
  const account = makeNkeyPair('account')
  const nats: UserBody = { issuer_account: account.publicKey, type: 'user', version: 2 }
  const user = encodeJwt({ iat: 1, exp: 4_000_000_000, sub: pair.publicKey, nats }, account)
  const expected = {
    code: 'ERR_CONNECT',
    message: /Authorization Violation$/,
  } as const
  await t.throwsAsync(connectWithNkey(target, pair), expected)
  await t.throwsAsync(
    connectWithCreds(target, () => ({ user, pair })),
    expected,
  )
})

test('a server that is not there is refused by name', async (t) => {
  const target = { servers: ['nats://127.0.0.1:1'], ca: '', name: 'test', options: { tls: null } }
  await t.throwsAsync(connectWithNkey(target, pair), {
    code: 'ERR_CONNECT',
    message: /^cannot connect to nats:\/\/127\.0\.0\.1:1: /,
  })
})

test('a server without TLS is not talked to', async (t) => {
  await using server = await startTestServer({
    authorization: { users: [{ nkey: pair.publicKey }] },
  })
  const target = { servers: [server.url], ca: '', name: 'test' }
  await t.throwsAsync(connectWithNkey(target, pair), { code: 'ERR_CONNECT', message: /tls/ })
})
