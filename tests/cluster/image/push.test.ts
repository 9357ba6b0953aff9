// Pushing to the reference registry, let in by a password and by a token.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { OciImage } from '../../../image/oci-image.ts'
import { parseRegistry } from '../../../image/registry/address.ts'
import { pushImage } from '../../../image/registry/push.ts'
import { textFile } from '../../../image/user-files.ts'
import { smallImage } from '../../image/small-image.ts'
import { byPassword, credentials, startRegistry } from './registry.ts'

const below = 'x'.repeat(1_000_000)

const imageOf = (above: string): OciImage =>
  smallImage({ layers: [[textFile('a', below)], [textFile('b', above)]] })

test('an image is there whole, by its digest and by a tag of its own, and is sent once', async (t) => {
  const host = await startRegistry(t, byPassword)
  const address = parseRegistry(`${host}/team/network`)
  const image = imageOf('one')
  const pushed = await pushImage(image, address, credentials)
  t.is(pushed.repository, `${host}/team/network/small`)
  t.true(pushed.bytesSent > below.length)
  t.is((await pushImage(image, address, credentials)).bytesSent, 0)

  const get = (place: string) =>
    fetch(`http://${host}/v2/team/network/small/${place}`, {
      headers: {
        accept: image.manifest.mediaType,
        authorization: `Basic ${Buffer.from('tester:let me in').toString('base64')}`,
      },
    })
  const whole = async (answer: Response) => Buffer.from(await answer.arrayBuffer())
  for (const name of [image.manifest.digest, pushed.tag])
    t.deepEqual(await whole(await get(`manifests/${name}`)), Buffer.concat(image.manifest.chunks))
  for (const { digest, chunks } of image.blobs)
    t.true((await whole(await get(`blobs/${digest}`))).equals(Buffer.concat(chunks)))
})

test('of a changed image only what lies above the unchanged layer is sent', async (t) => {
  const host = await startRegistry(t, byPassword)
  await pushImage(imageOf('one'), parseRegistry(host), credentials)
  const { bytesSent } = await pushImage(imageOf('two'), parseRegistry(host), credentials)
  t.true(bytesSent > 0 && bytesSent < 10_000)
})

test('a wrong password, and none, are refused', async (t) => {
  const host = await startRegistry(t, byPassword)
  for (const each of [{ ...credentials, password: 'let me out' }, undefined])
    await t.throwsAsync(pushImage(imageOf('one'), parseRegistry(host), each), {
      code: 'ERR_REGISTRY_LOGIN',
    })
})

test('a registry that wants a token gets one from where it says, for one repository', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const asked: string[] = []
  const realm = await serveTokens(t, privateKey, asked)
  const host = await startRegistry(t, (folder) => {
    const jwks = join(folder, 'jwks.json')
    writeFileSync(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid }] }))
    return { token: { realm, service: 'test', issuer: 'test', jwks } }
  })
  const { bytesSent } = await pushImage(imageOf('one'), parseRegistry(host), credentials)
  t.true(bytesSent > below.length)
  t.deepEqual(asked, ['test repository:small:pull,push'])
})

const kid = 'test-key'

/** The place where tokens are got: it knows one password, and grants what it is asked for. */
async function serveTokens(t: ExecutionContext, key: KeyObject, asked: string[]): Promise<string> {
  const expected = `Basic ${Buffer.from('tester:let me in').toString('base64')}`
  const server = createServer(({ url = '', headers }, response) => {
    const { searchParams } = new URL(url, 'http://localhost')
    if (headers.authorization !== expected) return void response.writeHead(401).end()
    const scope = searchParams.get('scope') ?? ''
    asked.push(`${searchParams.get('service')} ${scope}`)
    response.end(JSON.stringify({ token: signToken(key, scope) }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
}

function signToken(key: KeyObject, scope: string): string {
  const [type, name, actions = ''] = scope.split(':')
  const now = Math.floor(Date.now() / 1000)
  const access = [{ type, name, actions: actions.split(',') }]
  const times = { iat: now, nbf: now - 60, exp: now + 60 }
  const claims = { iss: 'test', sub: 'tester', aud: 'test', jti: '1', ...times, access }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const text = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}
