import { readFileSync } from 'node:fs'
import test from 'ava'
import { makeExchange } from '../../core/access/ask-exchange.ts'
import { exchangeSubject } from '../../core/network/access-subject.ts'
import { auditFile } from '../../laptop/functions.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { mayPublish } from '../../nats/permission.ts'
import { exchangeOverHttps } from '../../requestor/exchange-token.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { ams3Cluster, builds, mesh, sfo2Cluster } from '../core/access/token-example.ts'
import type { TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { askNats, enterLobby, makeHolder, nowSeconds, type HttpAnswer } from './ask.ts'
import { askingOrders, audienceOf, orderClaims, postForm, postMutual, sealTo } from './exchange.ts'
import { forgeries } from './refused-tokens.ts'
import { connectExchanged, exchangePatiently, startTokenNetwork } from './token-network.ts'

const region = 'ams3'

let network: TestNetwork
let lobby: NatsConnection
test.before(async () => {
  network = await startTokenNetwork()
  lobby = await enterLobby(network, region)
})
test.after.always(async () => {
  await lobby?.close()
  await network?.[Symbol.asyncDispose]()
})

const ways = { HTTPS: exchangeOverHttps, NATS: exchangePatiently }

for (const [way, exchange] of Object.entries(ways)) {
  test.serial(`over ${way} a cluster's token becomes a credential that ends with it`, async (t) => {
    const pair = makeNkeyPair('user')
    const claims = orderClaims({ pair })
    const token = ams3Cluster.sign(claims)
    const credential = await exchange({ network: network.network, role: 'orders', token, pair })
    const { user } = credential.creds
    t.is(user.claims.name, 'ams3-cluster|system:serviceaccount:shop:orders')
    t.is(user.claims.sub, pair.publicKey)
    t.is(user.claims.exp, Number(claims['exp']))
    t.is(credential.region, region)
    const nc = await connectExchanged(network, credential)
    t.true(await mayPublish(nc, 'chat.KUBECON.online'))
    t.false(await mayPublish(nc, 'chat.KUBECON.posts.General'))
    await nc.close()
  })

  test.serial(`over ${way} a JWT-SVID becomes a credential, in any region`, async (t) => {
    const pair = makeNkeyPair('user')
    const sub = 'spiffe://mesh.example/shop/orders'
    const token = mesh.sign({ sub, aud: [audienceOf({ pair })], exp: nowSeconds() + 300 })
    const asked = { network: network.network, role: 'meshed', token, pair, region: 'sgp1' }
    const credential = await exchange(asked)
    t.is(credential.creds.user.claims.name, sub)
    t.is(credential.region, 'sgp1')
  })

  test.serial(`over ${way} a cluster is believed in its own region alone`, async (t) => {
    const pair = makeNkeyPair('user')
    const token = sfo2Cluster.sign(orderClaims({ pair }))
    const asked = { network: network.network, role: 'orders', token, pair }
    await t.throwsAsync(exchange({ ...asked, region }), { code: 'ERR_TOKEN_KEY_ID' })
    t.is((await exchange({ ...asked, region: 'sfo2' })).region, 'sfo2')
    await t.throwsAsync(exchange({ ...asked, region: 'sgp1' }), { code: 'ERR_TOKEN_ISSUER' })
  })
}

test.serial(
  'who is outside connects where people do, and nowhere else; a workload never there',
  async (t) => {
    const pair = makeNkeyPair('user')
    const sub = 'repo:shop/site:ref:refs/heads/main'
    const claims = { iss: 'https://builds.example', sub, aud: audienceOf({ pair }) }
    const token = builds.sign({ ...claims, exp: nowSeconds() + 300 })
    const asked = { network: network.network, region }
    const outside = await exchangePatiently({ ...asked, role: 'builder', token, pair })
    const nc = await network.connect(outside, region)
    t.true(await mayPublish(nc, 'chat.KUBECON.online'))
    await nc.close()
    await t.throwsAsync(connectExchanged(network, outside), { code: 'ERR_CONNECT' })

    const own = makeNkeyPair('user')
    const ofOrders = ams3Cluster.sign(orderClaims({ pair: own }))
    const orders = await exchangePatiently({ ...asked, role: 'orders', token: ofOrders, pair: own })
    await t.throwsAsync(network.connect(orders, region), { code: 'ERR_CONNECT' })
  },
)

test.serial(
  'a workload gets the next credential over its own connection, with the next token',
  async (t) => {
    const pair = makeNkeyPair('user')
    const asked = { network: network.network, role: 'orders', pair, region }
    const first = await exchangePatiently({
      ...asked,
      token: ams3Cluster.sign(orderClaims({ pair })),
    })
    const nc = await connectExchanged(network, first)
    const claims = orderClaims({ pair }, { exp: nowSeconds() + 700 })
    const holder = { pair, curve: makeHolder().curve }
    const asking = askingOrders(network, holder, { token: ams3Cluster.sign(claims) })
    const answer = await askNats(
      nc,
      exchangeSubject(region),
      sealTo(network, region, makeExchange(asking).form),
    )
    t.is(answer.status, 200, answer.error)
    await nc.close()
  },
)

test.serial('over HTTP the answer is as RFC 8693 has it, and nobody keeps it', async (t) => {
  const { status, headers, body } = await postForm(
    network,
    region,
    makeExchange(askingOrders(network, makeHolder())),
  )
  t.is(status, 200)
  t.is(headers['cache-control'], 'no-store')
  t.is(headers.pragma, 'no-cache')
  t.is(headers['content-type'], 'application/json')
  t.is(body['issued_token_type'], 'urn:ietf:params:oauth:token-type:jwt')
  t.is(body['token_type'], 'N_A')
  t.is(body['scope'], 'orders')
  t.regex(String(body['access_token']), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  t.true(Number(body['expires_in']) > 590 && Number(body['expires_in']) <= 600)
})

for (const [what, form, headers, expected] of [
  ['no form', 'x', {}, [400, 'invalid_request', 'ERR_GRANT_MISSING: grant_type is missing']],
  [
    'another grant',
    'grant_type=password',
    {},
    [
      400,
      'unsupported_grant_type',
      'ERR_GRANT_TYPE: grant_type is not urn:ietf:params:oauth:grant-type:token-exchange',
    ],
  ],
  [
    'a megabyte',
    `subject_token=${'a'.repeat(2 ** 20)}`,
    {},
    [400, 'invalid_request', 'ERR_REQUEST_OVERSIZE: request: over 20480 bytes'],
  ],
  [
    'JSON',
    '{}',
    { 'content-type': 'application/json' },
    [
      400,
      'invalid_request',
      "ERR_CONTENT_TYPE: content type is not application/x-www-form-urlencoded: 'application/json'",
    ],
  ],
  [
    'the password of a client',
    'grant_type=x',
    { authorization: 'Basic YTpi' },
    [401, 'invalid_client', 'ERR_CLIENT_AUTHENTICATION: clients are not authenticated here'],
  ],
] as const)
  test.serial(`over HTTP refuses ${what} in the words of OAuth`, async (t) => {
    const answer = await postForm(network, region, { form, headers })
    const { error, error_description: description } = answer.body
    t.deepEqual([answer.status, error, description], expected as unknown as unknown[])
    t.is(answer.headers['cache-control'], 'no-store')
    if (answer.status === 401) t.is(answer.headers['www-authenticate'], 'Basic')
  })

/** What was said to this form: the code and its rule. */
const asked: Readonly<Record<string, (form: string) => Promise<string | undefined>>> = {
  HTTPS: async (form) => descriptionOf(await postForm(network, region, { form })),
  NATS: async (form) =>
    (await askNats(lobby, exchangeSubject(region), sealTo(network, region, form))).error,
  mTLS: async (form) => descriptionOf(await postMutual(network, region, form)),
}
const descriptionOf = ({ body }: HttpAnswer) => String(body['error_description'])

for (const [way, ask] of Object.entries(asked))
  test.serial(
    `over ${way} a forged token is refused by its rule, whatever is wrong with it`,
    async (t) => {
      for (const { what, code, form } of forgeries)
        t.regex((await ask(form(network))) ?? '', new RegExp(`^${code}: `), what)
    },
  )

test.serial(
  'a megabyte is refused over mTLS, too, and who sends it over NATS is cut off',
  async (t) => {
    const form = `subject_token=${'a'.repeat(2 ** 20)}`
    t.is((await asked['mTLS']?.(form)) ?? '', 'ERR_REQUEST_OVERSIZE: request: over 20480 bytes')
    const own = await enterLobby(network, region, { reconnect: false })
    const bytes = sealTo(network, region, form.slice(0, 2 ** 20 - 1024))
    await t.throwsAsync(askNats(own, exchangeSubject(region), bytes))
    await own.closed()
    t.true(own.isClosed())
  },
)

test.serial(
  'a token that is too large for the lobby is said to be, and taken over HTTPS',
  async (t) => {
    const pair = makeNkeyPair('user')
    const token = ams3Cluster.sign(orderClaims({ pair }, { groups: 'x'.repeat(3000) }))
    const wanted = { network: network.network, role: 'orders', token, pair }
    await t.throwsAsync(exchangePatiently(wanted), {
      code: 'ERR_REQUEST_OVERSIZE',
      message: `token is too large for the lobby: ${token.length} characters`,
    })
    t.is((await exchangeOverHttps(wanted)).region, region)
  },
)

test.serial('over NATS a token in the clear is refused, and not repeated', async (t) => {
  const { form } = makeExchange(askingOrders(network, makeHolder()))
  for (const clear of [form, new URLSearchParams(form).get('subject_token') ?? '']) {
    const answer = await askNats(lobby, exchangeSubject(region), Buffer.from(clear))
    t.is(answer.status, 400)
    t.is(
      answer.error,
      "ERR_TOKEN_UNSEALED: request is not sealed to ams3's key: a token in it was readable by others, so withdraw it",
    )
    t.false(JSON.stringify(answer.body).includes(clear.slice(0, 40)))
  }
})

test.serial('what is sealed to one region opens in no other', async (t) => {
  const bytes = sealTo(network, region, makeExchange(askingOrders(network, makeHolder())).form)
  const moved = await askNats(lobby, exchangeSubject('sfo2'), bytes)
  t.regex(moved.error ?? '', /^ERR_SEALED_ILLEGAL: sealed message does not open with the key /)
  t.is((await askNats(lobby, exchangeSubject(region), bytes)).status, 200)
})

test.serial(
  'each decision is one line of audit: who, what, by which rule, and no token',
  async (t) => {
    const holder = makeHolder()
    const asking = askingOrders(network, holder)
    await askNats(
      lobby,
      exchangeSubject(region),
      sealTo(network, region, makeExchange(asking).form),
    )
    const refused = makeExchange({ ...asking, role: 'builder' })
    await askNats(lobby, exchangeSubject(region), sealTo(network, region, refused.form))
    const path = auditFile(network.homes, region, 'identity')
    const lines = await until('both lines are written', () => {
      const all = readFileSync(path, 'utf8').split('\n')
      const own = all.filter((line) => line.includes(holder.pair.publicKey))
      return own.length === 2 && own
    })
    const [granted, denied] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    t.like(granted, {
      verdict: 'granted',
      rule: 'identity',
      entry: 'roles.orders.identity[0]',
      role: 'orders',
      name: 'ams3-cluster|system:serviceaccount:shop:orders',
      nkey: holder.pair.publicKey,
    })
    t.like(denied, { verdict: 'refused', rule: 'ERR_ROLE_DOOR', role: 'builder' })
    t.regex(JSON.stringify(granted?.['caller']), /"trigger":"nats","source":"ams3-\d#\d+"/)
    const [, , signature = ''] = asking.token.split('.')
    t.false(readFileSync(path, 'utf8').includes(signature))
  },
)
