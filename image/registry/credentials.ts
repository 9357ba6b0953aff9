// Who pushes: from the environment, or from where `docker login` and `podman login` leave it. Never from
// arguments, which every process of the machine can read.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { Refusal } from '../../core/errors.ts'
import { parseJson } from '../../core/parse-json.ts'
import { quote } from '../../core/quote.ts'

export type Credentials =
  | { readonly username: string; readonly password: string }
  /** To be exchanged for an access token. */
  | { readonly refreshToken: string }

const helperName = z.string().regex(/^[\w.-]+$/)
const login = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
})
const configuration = z.object({
  auths: z.record(z.string(), login).default({}),
  credHelpers: z.record(z.string(), helperName).default({}),
  credsStore: helperName.optional(),
})
const helped = z.object({ Username: z.string(), Secret: z.string() })

const timeoutMs = 20_000

/** Undefined where nobody has logged in: some registries need no name. */
export async function findCredentials(
  host: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const { ARCHIPELAGO_REGISTRY_USER: username, ARCHIPELAGO_REGISTRY_PASSWORD: password } =
    environment
  if (username !== undefined && password !== undefined) return { username, password }
  const file = loginFile(environment)
  if (!existsSync(file)) return undefined
  const { auths, credHelpers, credsStore } = parseLogins(file)
  const helper = credHelpers[host] ?? credsStore
  const found = helper === undefined ? undefined : await askHelper(helper, host, environment)
  return found ?? (auths[host] && readLogin(auths[host]))
}

function loginFile(environment: NodeJS.ProcessEnv): string {
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, HOME = homedir() } = environment
  return REGISTRY_AUTH_FILE ?? join(DOCKER_CONFIG ?? join(HOME, '.docker'), 'config.json')
}

function parseLogins(file: string): z.infer<typeof configuration> {
  const what = `file of logins ${quote(file)}`
  return parseJson(readFileSync(file, 'utf8'), configuration, { what, code: 'ERR_REGISTRY_LOGIN' })
}

function readLogin({
  auth,
  identitytoken,
  ...named
}: z.infer<typeof login>): Credentials | undefined {
  if (identitytoken !== undefined && identitytoken !== '') return { refreshToken: identitytoken }
  const [, username, password] =
    /^([^:]+):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? []
  if (username !== undefined && password !== undefined) return { username, password }
  if (named.username === undefined || named.password === undefined) return undefined
  return { username: named.username, password: named.password }
}

/** The protocol of docker-credential-helpers: the host on standard input, JSON on standard output. */
async function askHelper(
  helper: string,
  host: string,
  env: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const asked = promisify(execFile)(`docker-credential-${helper}`, ['get'], {
    env,
    timeout: timeoutMs,
  })
  asked.child.stdin?.on('error', () => {}).end(host)
  try {
    const what = `answer of docker-credential-${helper}`
    const said = parseJson((await asked).stdout, helped, { what, code: 'ERR_REGISTRY_LOGIN' })
    // As `docker login` keeps a token for which there is no user.
    if (said.Username === '<token>') return { refreshToken: said.Secret }
    return { username: said.Username, password: said.Secret }
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ENOENT')
      throw new Refusal('ERR_REGISTRY_LOGIN', `missing program: docker-credential-${helper}`)
    // It ends with 1 when it knows nothing of this host.
    if (typeof code === 'number') return undefined
    throw error
  }
}
