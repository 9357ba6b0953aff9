// What the servers let be, and the watcher does not. Each attack is seen to last without the watcher,
// and to end within 10 seconds of its start.
import test, { type ExecutionContext } from 'ava'
import type { WatchFinding } from '../../core/network/watch-finding.ts'
import type { AccountJwt } from '../../core/trust/account.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { signDenyList } from '../../core/trust/deny-list.ts'
import type { ServiceUser } from '../../core/trust/declare.ts'
import type { DeclaredState } from '../../core/trust/declared-state.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { Nkey, NkeyPair } from '../../core/trust/nkey.ts'
import { signUser } from '../../core/trust/user.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { readAccountState } from '../../nats/account-state.ts'
import { askFunctionStates } from '../../nats/function-states.ts'
import { updateAccount } from '../../nats/claims.ts'
import { pingServers } from '../../nats/system.ts'
import { watchNetwork, watchOnce } from '../../nats/watch-network.ts'
import { openDeclaredState } from '../../store/declared-state.ts'
import { openFiles, readOrRefuse } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { makeNkeyPair, requireKey } from '../../store/key-file.ts'
import { leafnodeCredsFile, renewLeafnodeCredential, renewerPlace } from '../../store/leafnode.ts'
import { operatorSigner } from '../../store/operator.ts'
import { signingKey } from '../../store/key-paths.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

const cutMsMax = 10_000
const yearSeconds = 365 * 24 * 3600

let network: TestNetwork
let pusher: NatsConnection
let state: DeclaredState
test.before(async () => {
  network = await startTestNetwork((yaml) =>
    yaml.replace('connectionLifetime: 30s', 'connectionLifetime: 5s'),
  )
  pusher = await network.connectAs('pusher', 'ams3')
  const { homes, archipelago } = network
  state = openDeclaredState({ files: openFiles(), homes, archipelago }, nowSeconds)
})
test.after.always(async () => {
  await pusher?.close()
  await network?.[Symbol.asyncDispose]()
})

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

interface Watching extends AsyncDisposable {
  readonly findings: WatchFinding[]
}

/** From ams3: while a server of sgp1 stands still, the way from elsewhere may lead over it. */
function eyes() {
  const { archipelago, connectAs } = network
  return { archipelago, state, connectAs: (user: ServiceUser) => connectAs(user, 'ams3') }
}

function watch(options: { state?: DeclaredState; intervalMs?: number } = {}): Watching {
  const findings: WatchFinding[] = []
  const onFinding = (finding: WatchFinding): void => void findings.push(finding)
  const watching = watchNetwork({ ...eyes(), onFinding, intervalMs: 500, ...options })
  return { findings, [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose]() }
}

function account(name: string): AccountJwt {
  return state.read().accounts.find(({ claims }) => claims.name === name) as AccountJwt
}

/** By a thief of the signing key of ams3's lobby. */
function mintStolen(life: { issuedAtSeconds: number; expiresAtSeconds: number }): Creds {
  const folder = functionHome(network.homes, 'ams3', 'lobby')
  const stolen = requireKey(openFiles(), 'account', signingKey(folder, 'member').current)
  const pair = makeNkeyPair('user')
  const user = signUser(stolen, {
    publicKey: pair.publicKey,
    name: 'thief',
    account: account('KUBECON').claims.sub as Nkey<'account'>,
    ...life,
  })
  return { user, pair }
}

function dial(creds: Creds, region = 'sfo2'): Promise<NatsConnection> {
  const servers = serversOf(network.network, region)
  const options = { reconnect: false }
  const target = { servers, ca: network.network.file.ca, name: 'test', options }
  return connectWithCreds(target, () => creds)
}

/** Milliseconds until the server ends the connection. */
async function cutAfter(nc: NatsConnection): Promise<number> {
  const started = performance.now()
  await until('the cut', () => nc.isClosed(), { deadlineMs: cutMsMax })
  return performance.now() - started
}

const stolen: readonly { what: string; life: () => Parameters<typeof mintStolen>[0] }[] = [
  {
    what: 'ten years',
    life: () => ({
      issuedAtSeconds: nowSeconds(),
      expiresAtSeconds: nowSeconds() + 10 * yearSeconds,
    }),
  },
  {
    what: 'an hour that begins in a year',
    life: () => ({
      issuedAtSeconds: nowSeconds() + yearSeconds,
      expiresAtSeconds: nowSeconds() + yearSeconds + 3600,
    }),
  },
]
for (const { what, life } of stolen)
  test.serial(`a credential for ${what} made with a stolen regional key is cut`, async (t) => {
    const creds = mintStolen(life())
    await using nc = closing(await dial(creds))
    await using honest = closing(await network.connect(await network.request()))
    // Without the watcher all that the server has to say is that all is well.
    await nc.connection.flush()
    t.false(nc.connection.isClosed())
    await using watching = watch()
    t.log(`cut after ${(await cutAfter(nc.connection)).toFixed(0)} ms`)
    const cut = await findingOf(watching, 'connection-cut')
    t.true(cut.message.includes(creds.pair.publicKey))
    t.true(cut.message.includes(creds.user.claims.iss), 'the stolen key is named')
    t.false(honest.connection.isClosed())
    // As often as it comes back.
    await using again = closing(await dial(creds))
    t.log(`cut again after ${(await cutAfter(again.connection)).toFixed(0)} ms`)
  })

test.serial('a leafnode that came with such a credential is cut as well', async (t) => {
  const { homes } = network
  const path = leafnodeCredsFile(homes, 'sgp1')
  const honest = readOrRefuse(path, 'leafnode credential')
  const files = openFiles()
  const tenYears = { region: 'sgp1', lifetimeSeconds: 10 * yearSeconds }
  const access = account('ACCESS').claims.sub as Nkey<'account'>
  files.write(path, '')
  const place = { files, ...renewerPlace(homes, 'sgp1') }
  renewLeafnodeCredential(place, { ...tenYears, account: access }, nowSeconds())
  await network.supercluster.restart('sgp1-leafnode')
  await network.supercluster.awaitMesh(cutMsMax)
  await using watching = watch()
  const { message } = await findingOf(watching, 'connection-cut')
  t.regex(message, /lives 315360000 s, leafnode\.sgp1 at most 86400 s/)
  files.write(path, honest)
  await until('it comes back with the honest one', async () => {
    return (await watchOnce(eyes())).length === 0
  })
})

test.serial('whoever stays in the lobby makes room for the others', async (t) => {
  const { lobby } = network.network
  await using staying = closing(await dial(lobby))
  await using watching = watch()
  await cutAfter(staying.connection)
  t.regex(
    (await findingOf(watching, 'connection-cut')).message,
    /in the lobby for \d+ s, 5 at most/,
  )
})

test.serial('a name that is denied while somebody has it is cut and its key revoked', async (t) => {
  const carol = await network.request({ name: 'carol' })
  await using nc = closing(await dial(carol.creds))
  await using watching = watch()
  state.revoke({ nkeys: [], names: ['carol'], tickets: [], accounts: [] })
  await cutAfter(nc.connection)
  t.is((await findingOf(watching, 'connection-cut')).measure, 'kicked and revoked')
  await until('her key opens no server any more', () =>
    dial(carol.creds).then(
      (back) => back.close().then(() => false),
      () => true,
    ),
  )
})

test.serial(
  'an older account JWT undoes a revocation, until the watcher puts it back',
  async (t) => {
    const dave = await network.request({ name: 'dave' })
    const before = account('KUBECON')
    const revoked = { nkeys: [dave.creds.pair.publicKey], names: [], tickets: [] }
    const after = state.revoke({ ...revoked, accounts: ['KUBECON'] })
    for (const { text } of after.accounts) await push(text)
    await t.throwsAsync(dial(dave.creds))
    // Whoever has the pusher's credential, or stands in the mesh as a gateway, finds the older one in git.
    t.is(await push(before.text), 9)
    await using back = closing(await dial(dave.creds))
    t.false(back.connection.isClosed(), 'without the watcher')
    await using watching = watch()
    t.log(`cut after ${(await cutAfter(back.connection)).toFixed(0)} ms`)
    const finding = await findingOf(watching, 'account-older')
    t.regex(finding.message, /^account KUBECON: an older one is held by .*resolvers/)
    await everyoneHolds(t, 'KUBECON')
  },
)

test.serial('at its own pace the watcher mends within 10 seconds, too', async (t) => {
  const before = account('KUBECON')
  const after = state.outdate('KUBECON', before.claims.iat)
  for (const { text } of after.accounts) await push(text)
  let reads = 0
  const counted = { ...state, read: () => ((reads += 1), state.read()) }
  await using watching = watch({ state: counted, intervalMs: 3_000 })
  await until('the first look', () => reads >= 3)
  t.is(await push(before.text), 9)
  const started = performance.now()
  t.is((await findingOf(watching, 'account-older')).measure, 'pushed')
  t.log(`found after ${(performance.now() - started).toFixed(0)} ms`)
  await everyoneHolds(t, 'KUBECON')
})

for (const { what, later } of [
  { what: 'of the same second', later: 0 },
  { what: 'of later', later: 3600 },
])
  test.serial(`a foreign operator's account JWT ${what} goes when the watcher comes`, async (t) => {
    const declared = account('KUBECON').claims
    const foreign = sign(declared, makeNkeyPair('operator'), declared.iat + later)
    t.is(await push(foreign), 9, 'answered with 200 by every server')
    t.true(
      (await held('KUBECON')).stored.every((text) => text === foreign),
      'without the watcher',
    )
    await using watching = watch()
    const finding = await findingOf(watching, 'account-foreign')
    t.is(finding.measure, 'signed anew and pushed')
    await everyoneHolds(t, 'KUBECON')
    t.true(account('KUBECON').claims.iat > declared.iat + later)
  })

test.serial('another account JWT of ours, of the same second, is overtaken', async (t) => {
  const declared = account('KUBECON').claims
  const { store, operator } = network.operator
  const body = { ...declared.nats, revocations: {} }
  await push(sign({ ...declared, nats: body }, operatorSigner(store, operator), declared.iat))
  await using watching = watch()
  t.is((await findingOf(watching, 'account-foreign')).measure, 'signed anew and pushed')
  await everyoneHolds(t, 'KUBECON')
})

test.serial(
  'a newer account JWT of ours that is not declared here is told, and left',
  async (t) => {
    const declared = account('KUBECON').claims
    const { store, operator } = network.operator
    const newer = sign(declared, operatorSigner(store, operator), declared.iat + 60)
    await push(newer)
    await using watching = watch()
    t.is((await findingOf(watching, 'account-newer')).measure, 'none')
    const { stored } = await held('KUBECON')
    t.true(stored.every((text) => text === newer))
    // Another command brings the state up to date: from then on nothing is amiss.
    state.outdate('KUBECON', declared.iat + 60)
    await everyoneHolds(t, 'KUBECON')
  },
)

test.serial(
  'a server that stands still is named, and what it missed is pushed to it',
  async (t) => {
    await using watching = watch()
    network.supercluster.signal('sgp1-0', 'SIGSTOP')
    try {
      const { subject } = await findingOf(watching, 'server-missing')
      t.is(subject, 'sgp1-0')
      state.outdate('KUBECON', account('KUBECON').claims.iat)
    } finally {
      network.supercluster.signal('sgp1-0', 'SIGCONT')
    }
    await everyoneHolds(t, 'KUBECON')
  },
)

test.serial('a look at a network in order finds nothing', async (t) => {
  await until('nothing found', async () => (await watchOnce(eyes())).length === 0)
  t.pass()
})

test.serial('functions that hold an older deny list get the declared one', async (t) => {
  const { store, operator } = network.operator
  const previous = state.read().denyList
  const newer = signDenyList(operatorSigner(store, operator), {
    ...{ operator: operator.claims.sub as Nkey<'operator'>, previous },
    ...{ added: { names: ['nobody'] }, nowSeconds: nowSeconds() },
  })
  const ahead = { ...state, read: () => ({ ...state.read(), denyList: newer }) }
  await using watching = watch({ state: ahead })
  const finding = await findingOf(watching, 'function-behind')
  t.is(finding.measure, 'pushed')
  const access = await network.connectAs('access-operator', 'ams3')
  const states = await askFunctionStates(access, { expected: 9 })
  await access.close()
  t.deepEqual(
    states.map(({ sequence }) => sequence),
    states.map(() => previous.claims.nats.sequence + 1),
  )
})

function closing(connection: NatsConnection): AsyncDisposable & { connection: NatsConnection } {
  return { connection, [Symbol.asyncDispose]: () => connection.close() }
}

function findingOf({ findings }: Watching, code: WatchFinding['code']): Promise<WatchFinding> {
  const deadline = { deadlineMs: cutMsMax }
  return until(code, () => findings.find((finding) => finding.code === code), deadline)
}

function sign(
  { sub, name, nats }: AccountJwt['claims'],
  signer: NkeyPair<'operator'>,
  iat: number,
): string {
  return encodeJwt({ iat, sub, ...(name && { name }), nats }, signer).text
}

/** As it is pushed by whoever does not ask us; how many servers say 200. */
async function push(text: string): Promise<number> {
  const answers = await updateAccount(pusher, text, { expected: 9 })
  return answers.filter(({ refusal }) => refusal === undefined).length
}

async function held(name: string) {
  const servers = await pingServers(pusher, { expected: 9 })
  return readAccountState(pusher, account(name).claims.sub, { servers })
}

async function everyoneHolds(t: ExecutionContext, name: string): Promise<void> {
  const deadline = { deadlineMs: cutMsMax }
  const started = performance.now()
  await until(
    `every server holds ${name} as declared`,
    async () => {
      const { text } = account(name)
      const { running, stored } = await held(name)
      return stored.length === 9 && [...running.values(), ...stored].every((each) => each === text)
    },
    deadline,
  )
  t.log(`mended after ${(performance.now() - started).toFixed(0)} ms more`)
}
