// Members of a running network ask for their next credential over their own connections.
import test from 'ava'
import { verifyChain } from '../../core/trust/chain.ts'
import { signTicket } from '../../core/trust/invite.ts'
import { renewCredential } from '../../requestor/renew-credential.ts'
import { requestCredential, type Credential } from '../../requestor/request-credential.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { nowSeconds, signerOf } from '../functions/ask.ts'
import { answeredBy, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

for (const region of ['ams3', 'sfo2', 'sgp1'])
  test(`a member in ${region} gets its next credential there, for the same key and name`, async (t) => {
    const current = await network.requestFrom(region)
    await using nc = await network.connect(current, region)
    await nextSecond(current)
    const renew = () => renewCredential(nc, { network: network.network, current })
    const next = await answeredBy(region, renew)
    t.is(next.region, region)
    t.is(next.creds.pair, current.creds.pair)
    const [before, after] = [current.creds.user.claims, next.creds.user.claims]
    t.like(after, { sub: before.sub, name: before.name })
    t.true((after.exp as number) > (before.exp as number))
    const { operator } = network.network
    const jwts = { userJwt: next.creds.user.text, accountJwt: next.accountJwt }
    const { scope } = verifyChain(jwts, { operator, nowSeconds: nowSeconds() })
    t.is(scope.role, `member.lobby.${region}`)
  })

test('who came by an invite renews at that door, and needs the invite no more', async (t) => {
  const current = await requestWithInvite('carol')
  await using nc = await network.connect(current, 'sfo2')
  await nextSecond(current)
  const next = await renewCredential(nc, { network: network.network, current })
  t.like(next.creds.user.claims, { name: 'carol', sub: current.creds.pair.publicKey })
})

test('what is renewed can be renewed', async (t) => {
  let current = await network.request({ region: 'ams3' })
  await using nc = await network.connect(current, 'ams3')
  for (let time = 0; time < 2; time++) {
    await nextSecond(current)
    current = await renewCredential(nc, { network: network.network, current })
  }
  t.pass()
})

test('an answer that ends no later than the current credential is not taken', async (t) => {
  const current = await network.request({ region: 'ams3' })
  await using nc = await network.connect(current, 'ams3')
  const { pair, user } = current.creds
  const exp = (user.claims.exp as number) + 60
  const later = { ...current, creds: { pair, user: { ...user, claims: { ...user.claims, exp } } } }
  await t.throwsAsync(renewCredential(nc, { network: network.network, current: later }), {
    code: 'ERR_ANSWER_ILLEGAL',
    message: /^answer ends no later than the current: \d+$/,
  })
})

test("a credential is not renewed over another one's connection", async (t) => {
  const [alice, bob] = [await network.request(), await network.request({ name: 'bob' })]
  await using nc = await network.connect(bob, 'ams3')
  // Bob may not even hear what is answered to Alice.
  await t.throwsAsync(renewCredential(nc, { network: network.network, current: alice }), {
    message: /^Permissions Violation for Subscription to "_INBOX\.U/,
  })
})

test("a credential whose account is another operator's is not asked for", async (t) => {
  const current = await network.request()
  await using nc = await network.connect(current, 'ams3')
  const { operator } = network.network
  const signing_keys = [makeNkeyPair('operator').publicKey]
  const claims = { ...operator.claims, nats: { ...operator.claims.nats, signing_keys } }
  const foreign = { ...network.network, operator: { ...operator, claims } }
  await t.throwsAsync(renewCredential(nc, { network: foreign, current }), {
    code: 'ERR_ACCOUNT_FOREIGN',
    message: /^account A\w+: signed by a foreign operator: O/,
  })
})

test.serial('where the own function hangs, another region answers', async (t) => {
  const current = await network.request({ region: 'sgp1' })
  await using nc = await network.connect(current, 'sgp1')
  await nextSecond(current)
  network.functions.signal('sgp1-lobby', 'SIGSTOP')
  try {
    const next = await renewCredential(nc, { network: network.network, current })
    t.not(next.region, 'sgp1')
    t.true(next.tookMs < 2_000)
  } finally {
    network.functions.signal('sgp1-lobby', 'SIGCONT')
  }
})

test.serial('where no function answers, there is none by the deadline', async (t) => {
  const current = await network.request({ region: 'sgp1' })
  await using nc = await network.connect(current, 'sgp1')
  const names = ['ams3', 'sfo2', 'sgp1'].map((region) => `${region}-lobby`)
  for (const name of names) network.functions.signal(name, 'SIGSTOP')
  try {
    await t.throwsAsync(
      renewCredential(nc, { network: network.network, current, deadlineMs: 1_500 }),
      {
        code: 'ERR_NO_ANSWER',
        message: /^no answer within 1500 ms on chat\.req\.renew\.lobby, chat\.req\.renew\.lobby\./,
      },
    )
  } finally {
    for (const name of names) network.functions.signal(name, 'SIGCONT')
  }
})

/** Lives end at whole seconds: one of the same second ends no later. */
async function nextSecond({ creds }: Credential): Promise<void> {
  await until('the next second', () => Date.now() >= (creds.user.claims.iat + 1) * 1000)
}

async function requestWithInvite(name: string): Promise<Credential> {
  const key = makeNkeyPair('user')
  const ticket = signTicket(signerOf(network), {
    key: key.publicKey,
    role: 'moderator',
    name,
    nowSeconds: nowSeconds(),
    expiresAtSeconds: nowSeconds() + 60,
  })
  return requestCredential({
    network: network.network,
    role: 'moderator',
    name,
    pair: makeNkeyPair('user'),
    invite: { ticket: ticket.text, key },
  })
}
