// Somebody whose credential was taken back tries to stay, to come back, and to be forgotten.
import test, { type ExecutionContext } from 'ava'
import { Refusal } from '../../core/errors.ts'
import { endOfTimeSeconds } from '../../core/trust/revoke.ts'
import { formatUrl } from '../../core/network/endpoint.ts'
import type { AccountBody, AccountJwt } from '../../core/trust/account.ts'
import type { Creds } from '../../core/trust/creds.ts'
import type { DeclaredState, Revoked } from '../../core/trust/declared-state.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { signUser } from '../../core/trust/user.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import {
  enforceRevocation,
  type Enforcers,
  type RevocationReport,
} from '../../nats/enforce-revocation.ts'
import { updateAccount } from '../../nats/claims.ts'
import { askServers } from '../../nats/system.ts'
import { renewCredential } from '../../requestor/renew-credential.ts'
import { requestCredential, type Credential } from '../../requestor/request-credential.ts'
import { openDeclaredState } from '../../store/declared-state.ts'
import { openFiles } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { issueInvite } from '../../store/invite.ts'
import { makeNkeyPair, requireKey } from '../../store/key-file.ts'
import { operatorSigner } from '../../store/operator.ts'
import { signingKey } from '../../store/key-paths.ts'
import { runScript } from '../run-script.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

const regions = ['ams3', 'sfo2', 'sgp1']
let network: TestNetwork
let enforcers: Enforcers
let state: DeclaredState
test.before(async () => {
  network = await startTestNetwork()
  const [pusher, access] = await Promise.all([
    network.connectAs('pusher', 'ams3'),
    network.connectAs('access-operator', 'ams3'),
  ])
  enforcers = { pusher, access }
  state = stateAt(() => Math.floor(Date.now() / 1000))
})
test.after.always(async () => {
  await Promise.all([enforcers?.pusher.close(), enforcers?.access.close()])
  await network?.[Symbol.asyncDispose]()
})

function stateAt(nowSeconds: () => number): DeclaredState {
  const { homes, archipelago } = network
  return openDeclaredState({ files: openFiles(), homes, archipelago }, nowSeconds)
}

function revoke(wanted: Partial<Revoked>, from = state): Promise<RevocationReport> {
  const target = { nkeys: [], names: [], tickets: [], accounts: ['KUBECON'], ...wanted }
  return enforceRevocation(enforcers, target, { archipelago: network.archipelago, state: from })
}

function keyOf({ creds }: Pick<Credential, 'creds'>): Nkey<'user'> {
  return creds.pair.publicKey
}

interface Live extends AsyncDisposable {
  readonly nc: NatsConnection
  /** When its server ended it, by performance.now(). */
  readonly cut: Promise<number>
}

/** To one server of the region, or to the named one; does not try again. */
async function live({ creds }: Pick<Credential, 'creds'>, place: string): Promise<Live> {
  const servers = regions.includes(place) ? serversOf(network.network, place) : [urlOf(place)]
  const options = { reconnect: false }
  const target = { servers, ca: network.network.file.ca, name: 'test', options }
  const nc = await connectWithCreds(target, () => creds)
  const cut = nc.closed().then(() => performance.now())
  return { nc, cut, [Symbol.asyncDispose]: () => nc.close() }
}

async function isIn(credential: Pick<Credential, 'creds'>, place = 'ams3'): Promise<boolean> {
  try {
    await (await live(credential, place)).nc.close()
    return true
  } catch (error) {
    if (error instanceof Refusal && /authori[sz]ation/i.test(error.message)) return false
    throw error
  }
}

function urlOf(name: string): string {
  const servers = network.supercluster.regions.flatMap((region) => region.servers)
  const server = servers.find((each) => each.name === name)
  if (server === undefined) throw new RangeError(`no such server: ${name}`)
  return formatUrl(server.client)
}

/** One whose standstill cuts no function off. */
async function serverWithoutLeafnode(region: string): Promise<string> {
  const answers = await askServers(enforcers.pusher, 'LEAFZ', { expected: 9 })
  const free = answers.find(
    ({ server, data }) => server.cluster === region && (data.leafs ?? []).length === 0,
  )
  return free?.server.name as string
}

function kubecon(): AccountJwt {
  const { accounts } = state.read()
  return accounts.find(({ claims }) => claims.name === 'KUBECON') as AccountJwt
}

/** The members' account with another body, signed by our operator as it should not be. */
async function pushRaw(change: Partial<AccountBody>, iat: number): Promise<void> {
  const { sub, name, nats } = kubecon().claims
  const { store, operator } = network.operator
  const body = { ...nats, ...change }
  const jwt = encodeJwt(
    { iat, sub, ...(name && { name }), nats: body },
    operatorSigner(store, operator),
  )
  await updateAccount(enforcers.pusher, jwt.text, { expected: 9 })
}

async function throwsIn(
  t: ExecutionContext,
  credential: Credential,
  { name, code }: { name?: string; code: string },
): Promise<void> {
  const { network: file } = network
  const { pair } = credential.creds
  for (const region of regions)
    await t.throwsAsync(
      requestCredential({ network: file, role: 'member', name: name ?? 'other', pair, region }),
      { code },
      region,
    )
}

test.serial(
  'a revoked key is cut in all three regions, and gets no other credential',
  async (t) => {
    const mallory = await network.request({ name: 'mallory' })
    const lives = await Promise.all(regions.map((region) => live(mallory, region)))
    const started = performance.now()
    const report = await revoke({ nkeys: [keyOf(mallory)] })
    const took = performance.now() - started
    for (const [at, { cut }] of lives.entries())
      t.log(`${regions[at]}: cut after ${((await cut) - started).toFixed(1)} ms`)
    t.log(`every server and function shows it after ${took.toFixed(0)} ms`)
    t.true(report.isDone)
    t.is(report.denyList.holders.length, 9)
    for (const region of regions) t.false(await isIn(mallory, region), region)
    await throwsIn(t, mallory, { code: 'ERR_NKEY_DENIED' })
    await Promise.all(lives.map((each) => each[Symbol.asyncDispose]()))
  },
)

test.serial('a revoked name is cut under every key, and comes back under none', async (t) => {
  const [one, other] = [
    await network.request({ name: 'trudy', region: 'ams3' }),
    await network.request({ name: 'trudy', region: 'sgp1' }),
  ]
  await using first = await live(one, 'ams3')
  await using second = await live(other, 'sgp1')
  const report = await revoke({ names: ['Trudy'] })
  t.true(report.isDone)
  t.deepEqual(report.nkeys.toSorted(), [keyOf(one), keyOf(other)].toSorted())
  await Promise.all([first.cut, second.cut])
  t.false(await isIn(one))
  for (const region of regions)
    await t.throwsAsync(network.request({ name: 'trudy', region }), { code: 'ERR_NAME_DENIED' })
})

test.serial('a denied key gets no renewal over a connection that it still has', async (t) => {
  const credential = await network.request({ name: 'sybil' })
  const { nc } = await live(credential, 'ams3')
  const renew = (): Promise<Credential> =>
    renewCredential(nc, { network: network.network, current: credential })
  // Within the second in which it was issued there is nothing to gain.
  await until('a renewal', () =>
    renew().then(
      () => true,
      () => false,
    ),
  )
  // Denied alone: a revoked one would have no connection to ask over.
  state.revoke({ nkeys: [keyOf(credential)], names: [], tickets: [], accounts: [] })
  await until('functions refuse it', () =>
    renew().then(
      () => false,
      ({ code }) => code === 'ERR_NKEY_DENIED',
    ),
  )
  t.false(nc.isClosed())
  await nc.close()
})

test.serial('whoever came by a revoked invite is cut, and the invite opens no door', async (t) => {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const wanted = { role: 'moderator', name: 'eve', nowSeconds, lifetimeSeconds: 600 }
  const { ticket, key } = issueInvite(network.operator, network.archipelago, wanted)
  const invite = { ticket: ticket.text, key }
  const ask = (): Promise<Credential> =>
    requestCredential({
      ...{ network: network.network, role: 'moderator', name: 'eve', invite },
      pair: makeNkeyPair('user'),
    })
  const eve = await ask()
  await using connected = await live(eve, 'sfo2')
  const report = await revoke({ tickets: [ticket.claims.jti] })
  t.true(report.isDone)
  t.deepEqual(report.nkeys, [keyOf(eve)])
  await connected.cut
  t.false(await isIn(eve))
  await t.throwsAsync(ask(), { code: 'ERR_INVITE_DENIED' })
})

test.serial('two keys revoked within one second stay out, also after restarts', async (t) => {
  const one = await network.request({ name: 'one' })
  const two = await network.request({ name: 'two' })
  const frozen = Math.floor(Date.now() / 1000)
  const sameSecond = stateAt(() => frozen)
  const issued: number[] = []
  for (const credential of [one, two]) {
    t.true((await revoke({ nkeys: [keyOf(credential)] }, sameSecond)).isDone)
    issued.push(kubecon().claims.iat)
  }
  t.true((issued[0] as number) < (issued[1] as number))
  for (const name of ['ams3-0', 'sgp1-1']) await network.supercluster.restart(name)
  await network.functions.restart('ams3-lobby')
  await network.supercluster.awaitMesh(20_000)
  await until("ams3's function is back", async () => {
    const { region } = await network.request({ region: 'ams3' })
    return region === 'ams3'
  })
  for (const credential of [one, two]) {
    for (const name of ['ams3-0', 'sgp1-1']) t.false(await isIn(credential, name), name)
    await throwsIn(t, credential, { code: 'ERR_NKEY_DENIED' })
  }
})

test.serial('what could not be reached is named, and run again it is finished', async (t) => {
  const credential = await network.request({ name: 'late' })
  const server = await serverWithoutLeafnode('sgp1')
  network.functions.signal('sfo2-invite', 'SIGSTOP')
  network.supercluster.signal(server, 'SIGSTOP')
  const first = await revoke({ nkeys: [keyOf(credential)] }).finally(() => {
    network.functions.signal('sfo2-invite', 'SIGCONT')
    network.supercluster.signal(server, 'SIGCONT')
  })
  t.false(first.isDone)
  t.true(first.denyList.missing.includes('sfo2-invite'))
  const missing = first.accounts.flatMap(({ servers }) =>
    servers.filter((each) => each.state === 'missing').map(({ server }) => server),
  )
  t.true(missing.includes(server))
  const second = await until('the second run is done', async () => {
    const report = await revoke({ nkeys: [keyOf(credential)] })
    return report.isDone && report
  })
  t.is(second.denyList.sequence, first.denyList.sequence)
})

test.serial('a future-dated credential outlives a revocation at now, and not ours', async (t) => {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const future = mintStolen({ issuedAtSeconds: nowSeconds + 365 * 24 * 3600 })
  await using connected = await live(future, 'sfo2')
  // What `nsc revocations add-user` writes: the protection taken out.
  const before = kubecon().claims
  await pushRaw(
    { revocations: { ...before.nats.revocations, [keyOf(future)]: nowSeconds } },
    before.iat + 1,
  )
  t.true(await isIn(future), 'against a revocation at now')
  const report = await revoke(
    { nkeys: [keyOf(future)] },
    stateAt(() => before.iat + 2),
  )
  t.true(report.isDone)
  await connected.cut
  for (const region of regions) t.false(await isIn(future, region), region)
})

test.serial('a restart undoes a revocation of the same second, and not ours', async (t) => {
  const credential = await network.request({ name: 'phoenix', region: 'ams3' })
  const preloaded = network.operator.accounts.find(({ claims }) => claims.name === 'KUBECON')
  const revocations = { [keyOf(credential)]: endOfTimeSeconds }
  // Signed as it should not be, with the `iat` that the preload in nats.conf has.
  await pushRaw({ revocations }, preloaded?.claims.iat as number)
  t.false(await isIn(credential, 'ams3-0'))
  await restart('ams3-0')
  t.true(await isIn(credential, 'ams3-0'), 'against a revocation of the same second')
  // The clock stands still at that second: ours is later all the same.
  const report = await revoke(
    { nkeys: [keyOf(credential)] },
    stateAt(() => preloaded?.claims.iat as number),
  )
  t.true(report.isDone)
  await restart('ams3-0')
  t.false(await isIn(credential, 'ams3-0'))
})

test.serial('the command revokes by name, says where, and ends with 0', async (t) => {
  await network.request({ name: 'oscar' })
  const place = ['--archipelago', network.archipelagoFile, '--data-dir', network.homes.data]
  const dry = await runScript('revoke-credentials', [...place, '--name', 'oscar', '--dry-run'])
  t.deepEqual([dry.code, dry.stdout], [0, 'nobody is connected by it\n'], dry.stderr)
  const ran = await runScript('revoke-credentials', [...place, '--name', 'oscar', '--json'])
  t.is(ran.code, 0, ran.stderr)
  t.true((JSON.parse(ran.stdout) as RevocationReport).isDone)
  await t.throwsAsync(network.request({ name: 'oscar' }), { code: 'ERR_NAME_DENIED' })
})

async function restart(name: string): Promise<void> {
  await network.supercluster.restart(name)
  await network.supercluster.awaitMesh(20_000)
}

/** By a thief of the signing key of ams3's lobby: whatever he likes in it. */
function mintStolen({ issuedAtSeconds }: { issuedAtSeconds: number }): { creds: Creds } {
  const folder = functionHome(network.homes, 'ams3', 'lobby')
  const stolen = requireKey(openFiles(), 'account', signingKey(folder, 'member').current)
  const pair = makeNkeyPair('user')
  const user = signUser(stolen, {
    publicKey: pair.publicKey,
    name: 'thief',
    account: kubecon().claims.sub as Nkey<'account'>,
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + 3600,
  })
  return { creds: { user, pair } }
}
