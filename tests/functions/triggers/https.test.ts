// The function's own HTTPS door, with nothing behind it: what it lets in, and what it cuts off.
import { connect as connectTcp, type Socket } from 'node:net'
import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import test from 'ava'
import { auditLine } from '../../../core/access/audit-line.ts'
import type { ProvisioningAnswer } from '../../../functions/provision-credentials.ts'
import { serveHttps, type HttpsTrigger } from '../../../functions/triggers/https.ts'
import { openAudit } from '../../../functions/provisioning/audit.ts'
import { startWork, type Handle } from '../../../functions/provisioning/work.ts'
import { makeServerCertificate } from '../../server-certificate.ts'
import { startStopwatch } from '../../stopwatch.ts'
import { until } from '../../until.ts'
import { askHttp } from '../ask.ts'

const host = '127.0.0.1'
const { ca, ...issued } = await makeServerCertificate(host)
const granted: ProvisioningAnswer = { isGranted: true, body: '{"sealed":"x"}' }
/** Answers 'slow' only when it is told to, and everything else at once. */
const slow = { asked: Promise.withResolvers<void>(), told: Promise.withResolvers<void>() }
const handle: Handle = async ({ bytes }) => {
  if (Buffer.from(bytes).toString() !== 'slow') return granted
  slow.asked.resolve()
  await slow.told.promise
  return granted
}

const place = { region: 'ams3', door: 'lobby' } as const
let door: HttpsTrigger
let problem: string | undefined
test.before(async () => (door = await open()))
test.after.always(() => door[Symbol.asyncDispose]())

function open(audit = openAudit(place, () => {})): Promise<HttpsTrigger> {
  const work = startWork(handle, { door: 'lobby', audit })
  return serveHttps({ host, port: 0 }, issued, {
    door: 'lobby',
    work,
    audit,
    problem: () => problem,
  })
}

const url = (path = '/', { port } = door): string => `https://${host}:${port}${path}`

test('a POST of 4096 bytes is answered', async (t) => {
  const answer = await askHttp(url(), { ca, body: Buffer.alloc(4_096, 'a') })
  t.is(answer.status, 200)
  t.deepEqual(answer.body, { sealed: 'x' })
  t.like(answer.headers, { 'content-type': 'application/json', 'cache-control': 'no-store' })
})

for (const length of [4_097, 1_000_000])
  for (const encoding of ['content-length', 'chunked'])
    test(`${length} bytes (${encoding}) are refused`, async (t) => {
      const body = Buffer.alloc(length, 'a')
      const headers = encoding === 'chunked' ? { 'transfer-encoding': 'chunked' } : {}
      const answer = await askHttp(url(), { ca, body, headers }).catch(() => undefined)
      // A client that goes on sending may see the end of the connection instead of the answer.
      if (answer === undefined) return void t.true(length > 100_000)
      t.is(answer.error, 'ERR_REQUEST_OVERSIZE: request: over 4096 bytes')
      t.is(answer.status, 413)
      t.is(answer.headers['connection'], 'close')
    })

for (const [method, path, status, error, allow] of [
  ['GET', '/', 405, 'ERR_METHOD_ILLEGAL: method is not POST: GET', 'POST'],
  ['PUT', '/', 405, 'ERR_METHOD_ILLEGAL: method is not POST: PUT', 'POST'],
  ['POST', '/healthz', 405, 'ERR_METHOD_ILLEGAL: method is not GET or HEAD: POST', 'GET, HEAD'],
  ['POST', '/admin', 404, "ERR_PATH_UNKNOWN: unknown path: '/admin'", undefined],
  ['POST', '/?a=b', 404, "ERR_PATH_UNKNOWN: unknown path: '/?a=b'", undefined],
] as const)
  test(`${method} ${path} is refused`, async (t) => {
    const answer = await askHttp(url(path), { ca, method })
    t.is(answer.status, status)
    t.is(answer.error, error)
    t.is(answer.headers['allow'], allow)
  })

test.serial('says whether it serves, and why not', async (t) => {
  t.like(await askHttp(url('/healthz'), { ca, method: 'GET' }), {
    status: 200,
    body: { door: 'lobby' },
  })
  problem = 'no answer to itself within 1000 ms'
  const { status, body } = await askHttp(url('/healthz'), { ca, method: 'GET' })
  t.is(status, 503)
  t.deepEqual(body, { door: 'lobby', problem })
  problem = undefined
})

test('one connection carries many requests', async (t) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set<number | undefined>()
  agent.on('free', (socket: Socket) => void ports.add(socket.localPort))
  for (let round = 0; round < 3; round += 1)
    t.is((await askHttp(url(), { ca, agent, body: Buffer.from('a') })).status, 200)
  await until('the connection is free again', () => ports.size)
  t.is(ports.size, 1)
  agent.destroy()
})

function dial(options: object = {}): TLSSocket {
  const socket = connect({ host, port: door.port, ca, ...options })
  return socket.on('error', () => {})
}

test('what is refused before it is read is in the audit, a flood of it in two lines', async (t) => {
  const lines: string[] = []
  const audit = openAudit(place, (line) => void lines.push(line))
  await using apart = await open(audit)
  const at = (path: string) => url(path, apart)
  for (let asked = 0; asked < 20; asked += 1)
    t.is((await askHttp(at('/'), { ca, body: Buffer.alloc(4_097) })).status, 413)
  t.is((await askHttp(at('/'), { ca, method: 'PUT' })).status, 405)
  t.is((await askHttp(at('/nowhere'), { ca })).status, 404)
  t.is((await askHttp(at('/healthz'), { ca })).status, 405)
  audit[Symbol.dispose]()
  const caller = { trigger: 'https', source: host }
  t.deepEqual(
    lines.map((line) => {
      const { time: _, ...rest } = auditLine.parse(JSON.parse(line))
      return rest
    }),
    (
      [
        { rule: 'ERR_REQUEST_OVERSIZE' },
        { rule: 'ERR_METHOD_ILLEGAL' },
        { rule: 'ERR_REQUEST_OVERSIZE', times: 19 },
      ] as const
    ).map((line) => ({ ...place, caller, verdict: 'refused', kind: 'access', ...line })),
  )
})

test('speaks no TLS below 1.2', async (t) => {
  const ciphers = 'DEFAULT:@SECLEVEL=0'
  const old = connect({
    ...{ host, port: door.port, ca, ciphers },
    ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' },
  })
  await t.throwsAsync(once(old, 'secureConnect'), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
  const new12 = dial({ maxVersion: 'TLSv1.2' })
  await once(new12, 'secureConnect')
  t.is(new12.getProtocol(), 'TLSv1.2')
  new12.destroy()
})

for (const [what, begin] of [
  ['a handshake that does not begin', () => connectTcp({ host, port: door.port })],
  ['headers that do not end', () => drip(dial(), 'POST / HTTP/1.1\r\nhost: x\r\n')],
  [
    'a body that does not come',
    () => drip(dial(), 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n'),
  ],
  [
    'a body that drips',
    () => drip(dial(), 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4000\r\n\r\n', ' '),
  ],
] as const)
  test(`${what} is cut off within 8 s`, async (t) => {
    const stop = startStopwatch()
    const socket = begin().on('error', () => {})
    socket.resume()
    await once(socket, 'close')
    t.true(stop() < 8_000)
  })

/** Sends the beginning of a request, then a little now and then. */
function drip(socket: TLSSocket, text: string, drop?: string): TLSSocket {
  socket.once('secureConnect', () => socket.write(text))
  const timer = setInterval(() => void (drop && socket.write(drop)), 200)
  return socket.once('close', () => clearInterval(timer))
}

test('one address takes no more than its share of the connections', async (t) => {
  await using other = await open()
  const sockets = Array.from({ length: 70 }, () =>
    connectTcp({ host, port: other.port }).on('error', () => {}),
  )
  const isClosed = (socket: Socket): boolean => socket.closed
  sockets.forEach((socket) => socket.resume())
  await until('those over the share are closed', () => sockets.filter(isClosed).length >= 6)
  t.is(sockets.filter(isClosed).length, 6)
  sockets.forEach((socket) => socket.destroy())
})

test('told to end, it answers what it was asked, and takes nothing new', async (t) => {
  const ending = await open()
  const asked = askHttp(url('/', ending), { ca, body: Buffer.from('slow') })
  await slow.asked.promise
  const end = ending[Symbol.asyncDispose]()
  slow.told.resolve()
  t.is((await asked).status, 200)
  await end
  await t.throwsAsync(askHttp(url('/', ending), { ca, body: Buffer.from('x') }), {
    code: 'ECONNREFUSED',
  })
})
