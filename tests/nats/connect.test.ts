import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
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

test('whoever a reload finds before he has said who he is, comes in by asking again', async (t) => {
  const authorization = (...nkeys: string[]) => ({
    authorization: { users: nkeys.map((nkey) => ({ nkey })) },
  })
  await using server = await startTestServer(authorization(pair.publicKey))
  const reload = () => server.reload(authorization(pair.publicKey, makeNkeyPair('user').publicKey))
  await using between = await holdFirstWords(server.url, reload)
  const target = { servers: [between.url], ca: '', name: 'test', options: { tls: null } }
  const connection = await connectWithNkey(target, pair)
  await connection.flush()
  await connection.close()
  t.is(between.dials(), 2)
})

test('a socket that fails while it is put away ends nothing', async (t) => {
  await using server = await startTestServer({
    authorization: { users: [{ nkey: pair.publicKey }] },
  })
  const { hostname, port } = new URL(server.url)
  const open = async (): Promise<Socket> => {
    const socket = connect(Number(port), hostname)
    const end = socket._destroy.bind(socket)
    socket._destroy = (error, done) => end(error, () => done(new Error('written after the end')))
    await once(socket, 'connect')
    return socket
  }
  const target = { servers: [server.url], ca: '', name: 'test', open }
  await t.throwsAsync(connectWithNkey(target, pair), { code: 'ERR_CONNECT' })
})

interface Between extends AsyncDisposable {
  readonly url: string
  dials(): number
}

/** A way to the server on which the first client's first words wait until something has happened. */
async function holdFirstWords(url: string, meanwhile: () => Promise<void>): Promise<Between> {
  const { hostname, port } = new URL(url)
  const sockets: Socket[] = []
  const listener = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    const isFirst = sockets.length === 0
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    upstream.pipe(client)
    client.once('readable', () => {
      void (isFirst ? meanwhile() : Promise.resolve()).then(() => client.pipe(upstream))
    })
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `nats://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    dials: () => sockets.length / 2,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await once(listener.close(), 'close')
    },
  }
}
