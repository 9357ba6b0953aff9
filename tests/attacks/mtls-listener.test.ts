// Mallory can reach the listener for workloads. She has no certificate, or one that was good once, or she
// is a workload herself and wants to keep the others out.
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import test from 'ava'
import { dayMs, names } from '../core/identity/forge.ts'
import {
  ams3,
  ask,
  dial,
  dialed,
  former,
  open,
  sessionsOf,
  shows,
  trustOf,
  type Open,
} from '../functions/triggers/mtls-listener.ts'
import { startStopwatch } from '../stopwatch.ts'
import { until } from '../until.ts'

const host = '127.0.0.1'
/** Another address of the same machine. */
const localAddress = '127.0.0.2'

let listener: Open
test.before(async () => (listener = await open()))
test.after.always(() => listener?.[Symbol.asyncDispose]())

const isClosed = ({ closed }: Socket): boolean => closed

for (const [what, begin] of [
  ['who never begins a handshake', () => connectTcp({ host, port: listener.port })],
  [
    'who stops in the middle of one',
    () =>
      connectTcp({ host, port: listener.port }, function (this: Socket) {
        this.write(Buffer.from('1603010200010001fc0303', 'hex'))
      }),
  ],
  ['a workload that asks nothing', () => dialed(listener, shows(ams3))],
  [
    'a workload whose request does not end',
    async () => {
      const socket = await dialed(listener, shows(ams3))
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n')
      return socket
    },
  ],
] as const)
  test(`${what} is cut off within 8 s`, async (t) => {
    const stop = startStopwatch()
    const socket = (await begin()).on('error', () => {})
    await once(socket.resume(), 'close')
    t.true(stop() < 8_000)
  })

// One after the other: what keeps this thread busy keeps its listeners busy.
test.serial(
  'who opens all connections that one address may have keeps no other address out',
  async (t) => {
    await using apart = await open()
    const started = performance.now()
    const sockets = Array.from({ length: 600 }, () =>
      connectTcp({ host, port: apart.port })
        .on('error', () => {})
        .resume(),
    )
    using _open = { [Symbol.dispose]: () => sockets.forEach((socket) => socket.destroy()) }
    const isMost = (): boolean => sockets.filter(isClosed).length >= 600 - 64
    await until('most are closed', isMost)
    t.is((await ask(apart, shows(ams3), { localAddress })).status, 200)
    // From 3 s on those end, too, that never begin their handshake: a busy machine may come to that.
    if (performance.now() - started > 3_000) t.log('too slow to tell one from the other')
  },
)

test.serial('a chain of a hundred certificates costs a handshake, and nothing else', async (t) => {
  await using apart = await open()
  const long = shows(ams3, {}, [ams3, ...Array.from({ length: 100 }, () => former)])
  // OpenSSL takes what leads to an authority, and leaves the rest.
  t.is((await ask(apart, long)).status, 200)
  const more = shows(ams3, {}, [ams3, ...Array.from({ length: 1_000 }, () => former)])
  await t.throwsAsync(ask(apart, more))
  t.is((await ask(apart, shows(ams3))).status, 200)
})

test.serial('a certificate with two thousand names is read once, and in time', async (t) => {
  const uris = Array.from({ length: 2_000 }, (_, at) => `spiffe://ams3.example/w/${at}`)
  const stop = startStopwatch()
  const shown = shows(ams3, { extensions: { names: names({ uris }) } })
  t.regex((await ask(listener, shown)).error ?? '', /ERR_CERTIFICATE_OVERSIZE/)
  t.true(stop() < 2_000)
  t.is((await ask(listener, shows(ams3))).status, 200)
})

test('a session of a good time is worth nothing when its authority was withdrawn', async (t) => {
  await using apart = await open()
  const shown = shows(ams3)
  const sessions = await sessionsOf(apart, shown)
  apart.trust(trustOf({ 'ams3.example': [former] }))
  for (const session of sessions)
    for (const certificate of [shown, undefined]) {
      const answer = await ask(apart, certificate, { session }).catch(() => undefined)
      t.not(answer?.status, 200)
    }
})

test('nobody renegotiates, and no older TLS is spoken', async (t) => {
  const socket = await dialed(listener, shows(ams3))
  t.is(socket.getProtocol(), 'TLSv1.3')
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  t.false(socket.renegotiate({}, resolve) === true && (await promise) === null)
  socket.destroy()
  const old = connectTls({ host, port: listener.port, ...dial(shows(ams3)), maxVersion: 'TLSv1.2' })
  await t.throwsAsync(once(old, 'secureConnect'))
})

test('a header that names an identity is a header', async (t) => {
  const id = 'spiffe://ams3.example/workload/other'
  const headers = {
    'x-forwarded-client-cert': `URI=${id}`,
    'x-ssl-client-cert': id,
    forwarded: `for=${id}`,
  }
  const { body } = await ask(listener, shows(ams3), { headers })
  t.false(JSON.stringify(body).includes('other'))
})

test('the certificate that ended yesterday comes no further than TLS', async (t) => {
  const over = { notBeforeMs: Date.now() - dayMs, notAfterMs: Date.now() - 1_000 }
  await t.throwsAsync(ask(listener, shows(ams3, over)))
})
