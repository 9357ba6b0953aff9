// What a registry that means ill, or is broken, gets out of a push. A real one is in tests/cluster.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { parseRegistry } from '../../../image/registry/address.ts'
import { pushImage } from '../../../image/registry/push.ts'
import { smallImage } from '../small-image.ts'

const image = smallImage()
const credentials = { username: 'tester', password: 'word' }
const basic = `Basic ${Buffer.from('tester:word').toString('base64')}`

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

interface Heard {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
}

/** A server that answers as it is told, and remembers what it was asked. */
async function serve(t: ExecutionContext, answer: (request: IncomingMessage) => Answer) {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request
    const [path = ''] = url.split('?')
    heard.push({ method, path, authorization: request.headers.authorization })
    const { status, headers, body } = answer(request)
    request.resume().on('end', () => response.writeHead(status, headers).end(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { heard, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** As a registry that has nothing and takes everything, but for what is said otherwise. */
function take({ method }: IncomingMessage, location = '/v2/small/blobs/uploads/1?state=a'): Answer {
  if (method === 'HEAD') return { status: 404 }
  if (method === 'POST') return { status: 202, headers: { location } }
  return { status: 201 }
}

const push = (host: string) => pushImage(image, parseRegistry(host), credentials)

test('the manifest goes last, and not at all when a part of it did not arrive', async (t) => {
  const registry = await serve(t, (request) =>
    request.method === 'PUT' ? { status: 500, body: 'full\u001b[2J' } : take(request),
  )
  await t.throwsAsync(push(registry.host), {
    code: 'ERR_REGISTRY_REFUSED',
    message: 'registry refuses PUT /v2/small/blobs/uploads/1: 500 full\\u{1b}[2J',
  })
  t.deepEqual(
    registry.heard.filter(({ path }) => path.includes('manifests')),
    [],
  )
})

test('a registry that does not have what it took is found out', async (t) => {
  const registry = await serve(t, take)
  await t.throwsAsync(push(registry.host), {
    code: 'ERR_REGISTRY_REFUSED',
    message: /^registry refuses HEAD \/v2\/small\/manifests\/sha256:[0-9a-f]{64}: 404$/,
  })
})

test('a password goes to nobody who did not ask for it', async (t) => {
  const registry = await serve(t, take)
  await t.throwsAsync(push(registry.host))
  t.true(registry.heard.length > 4)
  for (const { authorization } of registry.heard) t.is(authorization, undefined)
})

test('where an upload is sent to another host, the password is not', async (t) => {
  const other = await serve(t, take)
  const challenge = { 'www-authenticate': 'Basic realm="test"' }
  const registry = await serve(t, (request) =>
    request.headers.authorization === basic
      ? take(request, `http://${other.host}/upload?state=a`)
      : { status: 401, headers: challenge },
  )
  await t.throwsAsync(push(registry.host))
  t.true(registry.heard.some(({ authorization }) => authorization === basic))
  const upload = { method: 'PUT', path: '/upload', authorization: undefined }
  t.deepEqual(other.heard, [upload, upload])
})

test('another host that asks for a password does not get it', async (t) => {
  const challenge = { 'www-authenticate': 'Basic realm="test"' }
  const other = await serve(t, () => ({ status: 401, headers: challenge }))
  const registry = await serve(t, (request) => take(request, `http://${other.host}/upload`))
  await t.throwsAsync(push(registry.host), { code: 'ERR_REGISTRY_LOGIN' })
  t.deepEqual(other.heard, [{ method: 'PUT', path: '/upload', authorization: undefined }])
})

test('a redirect of what is sent is not followed', async (t) => {
  const other = await serve(t, take)
  const registry = await serve(t, (request) =>
    request.method === 'PUT'
      ? { status: 307, headers: { location: `http://${other.host}/` } }
      : take(request),
  )
  await t.throwsAsync(push(registry.host), { code: 'ERR_REGISTRY_REFUSED', message: /^no answer/ })
  t.deepEqual(other.heard, [])
})

for (const realm of ['http://registry.example/token', 'file:///etc/passwd', 'token', ''])
  test(`no password goes to the realm '${realm}'`, async (t) => {
    const challenge = { 'www-authenticate': `Bearer realm="${realm}",service="s"` }
    const registry = await serve(t, () => ({ status: 401, headers: challenge }))
    await t.throwsAsync(push(registry.host), {
      code: 'ERR_REGISTRY_LOGIN',
      message: `registry sends the password elsewhere: '${realm}'`,
    })
  })

test('no upload leaves TLS because a registry says so', async (t) => {
  const registry = await serve(t, (request) => take(request, 'http://registry.example/upload'))
  await t.throwsAsync(push(registry.host), {
    code: 'ERR_REGISTRY_REFUSED',
    message: "registry sends what is uploaded to where there is no TLS: 'http://registry.example'",
  })
})

test('a registry that asks for a name, where nobody has logged in, is told apart', async (t) => {
  const challenge = { 'www-authenticate': 'Basic realm="test"' }
  const registry = await serve(t, () => ({ status: 401, headers: challenge }))
  await t.throwsAsync(pushImage(image, parseRegistry(registry.host), undefined), {
    code: 'ERR_REGISTRY_LOGIN',
    message: `registry asks who you are: 'http://${registry.host}'`,
  })
})
