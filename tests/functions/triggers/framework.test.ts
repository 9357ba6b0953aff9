// By functions-framework the function answers as by its own HTTPS door, bad input included.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { openAudit } from '../../../functions/provisioning/audit.ts'
import { provisionCredential } from '../../../functions/provision-credentials.ts'
import { serveHttps, type HttpsTrigger } from '../../../functions/triggers/https.ts'
import { startWork } from '../../../functions/provisioning/work.ts'
import { makeServerCertificate } from '../../server-certificate.ts'
import { bootstrapAll } from '../../../store/bootstrap.ts'
import { openFiles } from '../../../store/files.ts'
import { readFunctionTrust } from '../../../store/function-trust.ts'
import { functionHome, homesOf } from '../../../store/homes.ts'
import { makeAsk } from '../../../core/access/ask.ts'
import { askHttp, makeHolder } from '../ask.ts'

const archipelagoFile = fileURLToPath(new URL('../../../archipelago.yaml', import.meta.url))
const trigger = fileURLToPath(new URL('../../../functions/triggers/framework.ts', import.meta.url))
const archipelago = parseArchipelago(readFileSync(archipelagoFile, 'utf8'), archipelagoFile)
const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
const homes = homesOf(join(folder, 'data'))
const nowSeconds = Math.floor(Date.now() / 1000)
const home = bootstrapAll({ files: openFiles(), homes, archipelago, nowSeconds })
const keysFolder = functionHome(homes, 'ams3', 'lobby')

let framework: { readonly child: ChildProcess; readonly url: string }
let https: HttpsTrigger
let ca: string
test.before(async () => {
  framework = await startFramework()
  https = await startHttps()
})
test.after.always(async () => {
  framework.child.kill()
  await https[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

async function startFramework(): Promise<typeof framework> {
  const child = spawn(process.execPath, [trigger], {
    env: {
      PORT: '0',
      ARCHIPELAGO_REGION: 'ams3',
      ARCHIPELAGO_DOOR: 'lobby',
      ARCHIPELAGO_PUBLIC: homes.public,
      ARCHIPELAGO_KEYS: keysFolder,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [line] = (await once(createInterface(child.stderr), 'line')) as [string]
  const url = /http:\S+/.exec(line)?.[0]
  if (url === undefined) throw new Error(line)
  return { child, url }
}

async function startHttps(): Promise<HttpsTrigger> {
  const issued = await makeServerCertificate('127.0.0.1')
  ca = issued.ca
  const trust = readFunctionTrust({ publicFolder: homes.public, keysFolder }, 'lobby')
  const place = { region: 'ams3', door: 'lobby' } as const
  const audit = openAudit(place, () => {})
  const provisioning = { ...place, trust: () => trust, nowMs: Date.now, audit }
  const work = startWork((request) => provisionCredential(request, provisioning), {
    ...place,
    audit,
  })
  return serveHttps({ host: '127.0.0.1', port: 0 }, issued, {
    door: 'lobby',
    work,
    audit,
    problem: () => undefined,
  })
}

const json = { 'content-type': 'application/json' }
const good = () =>
  makeAsk({
    operator: home.operator,
    ...{ door: 'lobby', role: 'member', name: 'alice', nonce: 'nonce-of-a-request' },
    nowMs: Date.now(),
    ...makeHolder(),
  }).bytes

for (const [what, options, status] of [
  ['a good request', { body: good, headers: json }, 200],
  ['a good request of no type', { body: good }, 200],
  [
    'a good request in pieces',
    { body: good, headers: { ...json, 'transfer-encoding': 'chunked' } },
    200,
  ],
  ['malformed JSON', { body: () => Buffer.from('{'), headers: json }, 400],
  [
    'JSON of another charset',
    {
      body: () => Buffer.from('{}'),
      headers: { 'content-type': 'application/json; charset=utf-7' },
    },
    400,
  ],
  [
    'a form',
    {
      body: () => Buffer.from('a=b'),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    400,
  ],
  ['a compressed body', { body: good, headers: { ...json, 'content-encoding': 'gzip' } }, 200],
  [
    'an unknown compression',
    { body: good, headers: { ...json, 'content-encoding': 'secret' } },
    200,
  ],
  ['no body', {}, 400],
  ['5000 bytes', { body: () => Buffer.alloc(5_000, ' '), headers: json }, 413],
  [
    '5000 bytes in pieces',
    { body: () => Buffer.alloc(5_000, ' '), headers: { 'transfer-encoding': 'chunked' } },
    413,
  ],
  ['GET', { method: 'GET' }, 405],
  ['another path', { path: '/admin', body: good }, 404],
  ['a path that cannot be decoded', { path: '/%', body: good }, 404],
  ["a browser's question for an icon", { method: 'GET', path: '/favicon.ico' }, 404],
  ["a crawler's question for its rules", { method: 'GET', path: '/robots.txt' }, 404],
  ['a path with a question', { path: '/?a=b', body: good }, 404],
  ['the question for its health', { method: 'GET', path: '/healthz' }, 200],
] as const)
  test(`answers ${what} as the HTTPS door does`, async (t) => {
    const { body, ...rest } = { body: undefined, ...options }
    const sent = { ...rest, ...(body && { body: body() }) }
    const one = await askHttp(framework.url, sent)
    const other = await askHttp(`https://127.0.0.1:${https.port}/`, { ca, ...sent })
    t.is(one.status, status)
    t.is(other.status, status)
    t.is(one.error, other.error)
    t.deepEqual(Object.keys(one.body), Object.keys(other.body))
    for (const header of ['content-type', 'cache-control', 'allow'])
      t.is(one.headers[header], other.headers[header], header)
    t.is(one.headers['x-powered-by'], undefined)
  })

test('listens on a loopback address only', async (t) => {
  const { hostname, port } = new URL(framework.url)
  t.is(hostname, '127.0.0.1')
  const other = connect({ host: '127.0.0.2', port: Number(port) })
  await t.throwsAsync(once(other, 'connect'), { code: 'ECONNREFUSED' })
})
