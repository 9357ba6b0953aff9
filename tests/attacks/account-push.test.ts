// Servers store whatever account JWT the system account hands them. Each attack is run twice: as a raw
// CLAIMS.UPDATE, which succeeds, and through pushAccounts, which refuses before anything is sent.
import test from 'ava'
import type { RefusalCode } from '../../core/errors.ts'
import { expectedServers } from '../../core/network/expected.ts'
import type { AccountBody, AccountJwt } from '../../core/trust/account.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { mayPublish } from '../../nats/permission.ts'
import { pushAccounts, type AccountPush } from '../../nats/push-accounts.ts'
import { updateAccount } from '../../nats/claims.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { operatorSigner } from '../../store/operator.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
let pusher: NatsConnection
let servers: string[]
test.before(async () => {
  network = await startTestNetwork()
  pusher = await network.connectAs('pusher', 'ams3')
  servers = expectedServers(network.archipelago)
})
test.after.always(async () => {
  await pusher?.close()
  await network?.[Symbol.asyncDispose]()
})

function kubecon(): AccountJwt {
  const accounts = network.operator.accounts
  return accounts.find(({ claims }) => claims.name === 'KUBECON') as AccountJwt
}

let latest = 0
/** The members' account, changed and signed by our operator, newer than all before. */
function sign(
  change: Partial<AccountBody> = {},
  { signer = ourSigner(), iat }: { signer?: ReturnType<typeof ourSigner>; iat?: number } = {},
): AccountJwt {
  const { sub, name, nats } = kubecon().claims
  latest = Math.max(latest, kubecon().claims.iat) + 1
  const body = { ...nats, ...change }
  return encodeJwt({ iat: iat ?? latest, sub, ...(name && { name }), nats: body }, signer)
}

function ourSigner() {
  return operatorSigner(network.operator.store, network.operator.operator)
}

function push(account: AccountJwt): Promise<AccountPush[]> {
  const { operator } = network.operator
  return pushAccounts(pusher, { operator, accounts: [account.text], expectedServers: servers })
}

async function isTakenRaw(account: AccountJwt): Promise<boolean> {
  const answers = await updateAccount(pusher, account.text, { expected: servers.length })
  return answers.length === servers.length && answers.every(({ refusal }) => refusal === undefined)
}

test.serial(
  'a newer account of our operator arrives at every server, which is named',
  async (t) => {
    await using _ = await member()
    const [pushed] = await push(sign())
    t.true(pushed?.isDone)
    t.deepEqual(pushed?.servers.map(({ server }) => server).toSorted(), servers.toSorted())
    t.deepEqual(pushed?.resolvers, { same: servers.length, other: 0 })
    const states = new Set(pushed?.servers.map(({ state }) => state))
    t.deepEqual([...states].toSorted(), ['not-loaded', 'updated'])
  },
)

test.serial('the same bytes may be pushed again', async (t) => {
  const account = sign()
  t.true((await push(account))[0]?.isDone)
  t.true((await push(account))[0]?.isDone)
})

test.serial('a server that does not answer is named, other regions are updated', async (t) => {
  network.supercluster.signal('sgp1-2', 'SIGSTOP')
  try {
    const [pushed] = await push(sign())
    t.false(pushed?.isDone)
    const missing = pushed?.servers.filter(({ state }) => state === 'missing') ?? []
    t.true(missing.some(({ server }) => server === 'sgp1-2'))
    // The way to its neighbours may lead over it, the way to other regions does not.
    t.true(missing.every(({ server }) => server.startsWith('sgp1')))
  } finally {
    network.supercluster.signal('sgp1-2', 'SIGCONT')
  }
})

const otherKey = makeNkeyPair('user').publicKey
const attacks: readonly {
  readonly what: string
  readonly code: RefusalCode
  readonly message: RegExp
  readonly forge: () => AccountJwt
}[] = [
  {
    what: 'an older account',
    code: 'ERR_ACCOUNT_OLDER',
    message: /KUBECON: issued at \d+, a server holds another of \d+$/,
    forge: () => kubecon(),
  },
  {
    what: 'another account of the same second',
    code: 'ERR_ACCOUNT_OLDER',
    message: /KUBECON: issued at (\d+), a server holds another of \1$/,
    forge: () => sign({ revocations: { [otherKey]: 1 } }, { iat: latest }),
  },
  {
    what: "a foreign operator's account",
    code: 'ERR_ACCOUNT_FOREIGN',
    message: /signed by a foreign operator: O[A-Z0-9]{55}$/,
    forge: () => sign({}, { signer: makeNkeyPair('operator') }),
  },
]
for (const { what, code, message, forge } of attacks)
  test.serial(`${what} is stored by every server, and refused by the push`, async (t) => {
    // Something newer than the first one has to be there to go back from.
    await isTakenRaw(sign())
    await t.throwsAsync(push(forge()), { code, message })
    t.true(await isTakenRaw(forge()), 'without the push in between')
  })

test.serial(
  'a role without a ceiling may publish everywhere, and is refused by the push',
  async (t) => {
    const [first, ...others] = kubecon().claims.nats.signing_keys
    if (first === undefined) throw new Error('no ceiling')
    const openAll = (): AccountJwt =>
      sign({
        signing_keys: [first, ...others].map((scope) => ({
          ...scope,
          template: { ...scope.template, pub: { allow: [] } },
        })),
      })
    await t.throwsAsync(push(openAll()), {
      code: 'ERR_ACCOUNT_OPENS_ALL',
      message: /ceiling of member\.lobby\.ams3: pub\.allow is empty/,
    })
    await isTakenRaw(sign())
    t.false(await mayPublishSecret())
    t.true(await isTakenRaw(openAll()))
    t.true(await mayPublishSecret(), 'without the push in between')
  },
)

async function mayPublishSecret(): Promise<boolean> {
  const { nc } = await member()
  try {
    return await mayPublish(nc, 'somebody.elses.secret')
  } finally {
    await nc.close()
  }
}

async function member(): Promise<AsyncDisposable & { nc: NatsConnection }> {
  const nc = await network.connect(await network.request({ region: 'ams3' }), 'ams3')
  return { nc, [Symbol.asyncDispose]: () => nc.close() }
}

test.serial(
  'an observer reloads, kicks and pushes nothing, for its ceiling has none of it',
  async (t) => {
    const observer = await network.connectAs('observer', 'ams3')
    // Of a server that is not there: whoever may ask does nothing by it.
    const orders = ['$SYS.REQ.SERVER.NOBODY.RELOAD', '$SYS.REQ.SERVER.NOBODY.KICK']
    for (const subject of [...orders, '$SYS.REQ.CLAIMS.UPDATE']) {
      t.false(await mayPublish(observer, subject), subject)
      t.true(await mayPublish(pusher, subject), subject)
    }
    await observer.close()
  },
)
