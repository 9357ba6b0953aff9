// A thief holds a region's signing key, or an account's identity key: what can he mint with it?
import test from 'ava'
import type { AccountBody, ScopedKey } from '../../core/trust/account.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { Nkey, NkeyPair } from '../../core/trust/nkey.ts'
import { signOperator } from '../../core/trust/operator.ts'
import type { UserBody } from '../../core/trust/user.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { mayPublish, maySubscribe } from '../../nats/permission.ts'
import { openFiles } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { makeNkeyPair, requireKey } from '../../store/key-file.ts'
import { useKey } from '../../store/nsc.ts'
import { signingKey } from '../../store/key-paths.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { startTestServer } from '../test-server.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const everything = { pub: { allow: ['>'] }, sub: { allow: ['>'] } }
const noLimits = { subs: -1, data: -1, payload: -1 }
const wildcards = ['*', '>', 'a.>', 'x.>.y']

interface Forgery {
  readonly name?: string
  readonly tags?: readonly string[]
  readonly body?: Record<string, unknown>
}

/** What nobody but a thief would sign: a user with whatever he likes in it. */
function forge(key: NkeyPair<'account'>, account: string, { name, tags, body }: Forgery) {
  const pair = makeNkeyPair('user')
  const nats = { issuer_account: account, tags, ...body, type: 'user', version: 2 }
  const claims = { iat: 1, exp: 4_000_000_000, sub: pair.publicKey, name: name ?? 'thief', nats }
  return { user: encodeJwt(claims, key) as unknown as { text: string; claims: UserClaims }, pair }
}
type UserClaims = ReturnType<typeof encodeJwt<UserBody>>['claims']

function kubecon(): string {
  const account = network.operator.accounts.find(({ claims }) => claims.name === 'KUBECON')
  return account?.claims.sub as string
}

function stolenRegionalKey(): NkeyPair<'account'> {
  const folder = functionHome(network.homes, 'ams3', 'lobby')
  return requireKey(openFiles(), 'account', signingKey(folder, 'member').current)
}

function connect(creds: ReturnType<typeof forge>, variant?: string): Promise<NatsConnection> {
  const servers = variant === undefined ? serversOf(network.network, 'ams3') : [variant]
  const options = { reconnect: false, ...(variant !== undefined && { tls: null }) }
  const target = { servers, ca: network.network.file.ca, name: 'thief', options }
  return connectWithCreds(target, () => creds)
}

for (const [what, body] of [
  ['permissions', everything],
  ['limits', noLimits],
  ['both', { ...everything, ...noLimits }],
  ['a bearer token', { bearer_token: true }],
] as const)
  test(`a user with ${what} of its own, signed by a stolen regional key, is refused`, async (t) => {
    const forged = forge(stolenRegionalKey(), kubecon(), { body })
    await t.throwsAsync(connect(forged), { code: 'ERR_CONNECT' })
  })

for (const name of wildcards)
  test(`the name and tag '${name}' widen nothing that a stolen regional key signs`, async (t) => {
    const forged = forge(stolenRegionalKey(), kubecon(), {
      name,
      tags: [`name:${name}`, `a:${name}`],
    })
    const thief = await connect(forged)
    const somebody = makeNkeyPair('user').publicKey
    t.false(await maySubscribe(thief, `chat.KUBECON.dms.${somebody}`))
    t.false(await maySubscribe(thief, 'chat.KUBECON.dms.*'))
    t.false(await maySubscribe(thief, `_INBOX.${somebody}.>`))
    t.false(await mayPublish(thief, 'chat.KUBECON.moderation.ban'))
    t.true(await maySubscribe(thief, `chat.KUBECON.dms.${forged.pair.publicKey}`))
    await thief.close()
  })

test('a stolen regional key mints no user of another account', async (t) => {
  const sys = network.operator.operator.claims.nats.system_account
  await t.throwsAsync(connect(forge(stolenRegionalKey(), sys, {})), { code: 'ERR_CONNECT' })
})

test("an account's identity key mints nobody", async (t) => {
  const identity = useKey(network.operator.store, 'account', kubecon() as Nkey<'account'>)
  const forged = forge(identity, kubecon(), { body: { ...everything, ...noLimits } })
  await t.throwsAsync(connect(forged), { code: 'ERR_CONNECT' })
})

/** A server of one account, made as the caller likes: what holds above is taken out here. */
async function startVariant(options: {
  signingKeys: (key: NkeyPair<'account'>) => readonly (ScopedKey | string)[]
  isStrict: boolean
}) {
  const [identity, signer] = [makeNkeyPair('operator'), makeNkeyPair('operator')]
  const [sys, account, key] = [
    makeNkeyPair('account'),
    makeNkeyPair('account'),
    makeNkeyPair('account'),
  ]
  const { claims } = signOperator(identity, {
    name: 'variant',
    signingKeys: [signer.publicKey],
    systemAccount: sys.publicKey,
    nowSeconds: 1,
  })
  const { jti: _, iss: __, ...rest } = claims
  const nats = { ...rest.nats, strict_signing_key_usage: options.isStrict }
  const operator = encodeJwt({ ...rest, nats }, identity).text
  const body = network.operator.accounts.find(({ claims: { name } }) => name === 'KUBECON')?.claims
    .nats
  const signAs = (sub: string, signing_keys: readonly (ScopedKey | string)[]): string => {
    const changed = { ...(body as AccountBody), imports: [], signing_keys }
    return encodeJwt({ iat: 1, sub, name: 'A', nats: changed }, signer).text
  }
  const server = await startTestServer({
    operator,
    system_account: sys.publicKey,
    resolver: 'MEMORY',
    resolver_preload: {
      [sys.publicKey]: signAs(sys.publicKey, []),
      [account.publicKey]: signAs(account.publicKey, options.signingKeys(key)),
    },
  })
  return { server, account, key }
}

const templated = (key: NkeyPair<'account'>, subject: string): ScopedKey => ({
  kind: 'user_scope',
  key: key.publicKey,
  role: 'member',
  description: '',
  template: {
    pub: { allow: ['a'] },
    sub: { allow: [subject] },
    subs: -1,
    data: -1,
    payload: -1,
    allowed_connection_types: ['STANDARD'],
  },
})

test('taken out: a signing key without a ceiling mints a user that may do everything', async (t) => {
  const { server, account, key } = await startVariant({
    signingKeys: (each) => [each.publicKey],
    isStrict: true,
  })
  await using _ = server
  const thief = await connect(
    forge(key, account.publicKey, { body: { ...everything, ...noLimits } }),
    server.url,
  )
  t.true(await maySubscribe(thief, 'chat.KUBECON.dms.*'))
  await thief.close()
})

test('taken out: a ceiling that names the user by {{name()}} is widened by the name >', async (t) => {
  const { server, account, key } = await startVariant({
    signingKeys: (each) => [templated(each, 'chat.KUBECON.dms.{{name()}}')],
    isStrict: true,
  })
  await using _ = server
  const thief = await connect(forge(key, account.publicKey, { name: '>' }), server.url)
  t.true(await maySubscribe(thief, 'chat.KUBECON.dms.*'))
  await thief.close()
})

test('taken out: where signing keys are not strictly used, the identity key mints anybody', async (t) => {
  const { server, account } = await startVariant({ signingKeys: () => [], isStrict: false })
  await using _ = server
  const thief = await connect(
    forge(account, account.publicKey, { body: { ...everything, ...noLimits } }),
    server.url,
  )
  t.true(await maySubscribe(thief, 'chat.KUBECON.>'))
  await thief.close()
})
