import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { findCredentials } from '../../../image/registry/credentials.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const host = 'registry.example:5000'
const login = { username: 'tester', password: 'pass:word' }
const auth = Buffer.from('tester:pass:word').toString('base64')

/** A home with this file of logins, and an empty PATH. */
function home(t: ExecutionContext, logins?: object | string) {
  const HOME = temporaryFolder(t)
  mkdirSync(join(HOME, '.docker'))
  const text = typeof logins === 'string' ? logins : JSON.stringify(logins)
  if (logins !== undefined) writeFileSync(join(HOME, '.docker/config.json'), text)
  return { HOME, PATH: HOME }
}

function helper(HOME: string, script: string): void {
  const file = join(HOME, 'docker-credential-test')
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

test('nobody has logged in', async (t) => {
  t.is(await findCredentials(host, home(t)), undefined)
  t.is(await findCredentials(host, home(t, { auths: { 'other.example': { auth } } })), undefined)
})

test('the environment comes before every file', async (t) => {
  const env = { ...home(t, { auths: { [host]: { auth } } }), ARCHIPELAGO_REGISTRY_USER: 'me' }
  t.deepEqual(await findCredentials(host, { ...env, ARCHIPELAGO_REGISTRY_PASSWORD: 'mine' }), {
    username: 'me',
    password: 'mine',
  })
  t.deepEqual(await findCredentials(host, env), login)
})

test('what docker login left is found, wherever its file is told to be', async (t) => {
  const logins = { auths: { [host]: { auth } }, HttpHeaders: {} }
  const { HOME } = home(t, logins)
  t.deepEqual(await findCredentials(host, { HOME }), login)
  const DOCKER_CONFIG = join(HOME, '.docker')
  t.deepEqual(await findCredentials(host, { HOME: '/nonexistent', DOCKER_CONFIG }), login)
  const REGISTRY_AUTH_FILE = join(DOCKER_CONFIG, 'config.json')
  t.deepEqual(await findCredentials(host, { HOME: '/nonexistent', REGISTRY_AUTH_FILE }), login)
})

test('a token for a token is told from a password', async (t) => {
  const env = home(t, { auths: { [host]: { auth, identitytoken: 'refresh' } } })
  t.deepEqual(await findCredentials(host, env), { refreshToken: 'refresh' })
})

test('a helper is asked for the host, on its standard input', async (t) => {
  const env = home(t, { credHelpers: { [host]: 'test' } })
  helper(env.HOME, `read asked; echo "{\\"Username\\":\\"$1 $asked\\",\\"Secret\\":\\"s\\"}"`)
  const expected = { username: `get ${host}`, password: 's' }
  t.deepEqual(await findCredentials(host, env), expected)
})

test('a helper that knows nothing of the host is no fault, one that is missing is', async (t) => {
  const env = home(t, { credsStore: 'test', auths: { [host]: {} } })
  await t.throwsAsync(findCredentials(host, env), {
    code: 'ERR_REGISTRY_LOGIN',
    message: 'missing program: docker-credential-test',
  })
  helper(env.HOME, 'echo credentials not found; exit 1')
  t.is(await findCredentials(host, env), undefined)
})

test('a helper cannot be a path', async (t) => {
  const env = home(t, { credsStore: '../../bin/sh' })
  await t.throwsAsync(findCredentials(host, env), { code: 'ERR_REGISTRY_LOGIN' })
})

test('a file that cannot be read is refused without a word of it', async (t) => {
  const error = await t.throwsAsync(findCredentials(host, home(t, `{"auths": "${auth}" secret`)))
  t.like(error, { code: 'ERR_REGISTRY_LOGIN' })
  t.regex(error?.message ?? '', /^illegal file of logins '.*config.json': not JSON$/)
})
