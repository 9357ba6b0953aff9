// A server in a pod takes what git has of its accounts while it runs, and never an older one.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import test, { type ExecutionContext } from 'ava'
import { formatConfiguration } from '../../../core/network/configuration.ts'
import { configureAccounts } from '../../../core/network/pod.ts'
import type { AccountBody, AccountJwt } from '../../../core/trust/account.ts'
import { encodeJwt } from '../../../core/trust/jwt.ts'
import { newestAccounts } from '../../../core/trust/newest-accounts.ts'
import type { NkeyPair } from '../../../core/trust/nkey.ts'
import { signUser } from '../../../core/trust/user.ts'
import { missingReason } from '../../../functions/cluster/missing-files.ts'
import { signalOnChange } from '../../../functions/cluster/signal-on-change.ts'
import { takeAccounts } from '../../../functions/cluster/take-accounts.ts'
import { parseWatchEnvironment } from '../../../functions/cluster/watch-environment.ts'
import {
  accountOf,
  accounts,
  operator,
  pairOf,
  signer,
  stranger,
} from '../../core/trust/example.ts'
import { credsAuthenticator } from '../../../nats/authenticator.ts'
import { startTestServer, type TestServer } from '../../test-server.ts'
import { until } from '../../until.ts'

const kubecon = accountOf('KUBECON')
const { sub, iat, name = '', nats } = kubecon.claims
const [alice, bob] = [pairOf('user', 'alice'), pairOf('user', 'bob')]

/** The members' account, issued some seconds later, with those revoked. */
function sign(later: number, { revoked = [] as NkeyPair[], by = signer } = {}): AccountJwt {
  const revocations = Object.fromEntries(revoked.map(({ publicKey }) => [publicKey, 4_000_000_000]))
  const body: AccountBody = { ...nats, revocations }
  return encodeJwt({ iat: iat + later, sub, name, nats: body }, by)
}

test('an account goes forward, and back to nothing that was signed before', (t) => {
  const [older, newer] = [sign(-1), sign(1, { revoked: [alice] })]
  const take = (offered: AccountJwt, held: readonly AccountJwt[]) => {
    const texts = held.map(({ text }) => text)
    const { accounts: taken, refused } = newestAccounts([offered.text], texts, operator)
    return [taken.map(({ text }) => text), refused]
  }
  t.deepEqual(take(newer, [kubecon]), [[newer.text], []])
  t.deepEqual(take(newer, [newer]), [[newer.text], []])
  const refusal = `account KUBECON: issued at ${iat - 1}, a server holds another of ${iat + 1}`
  t.deepEqual(take(older, [newer]), [[newer.text], [refusal]])
  const foreign = sign(9, { by: stranger })
  const whose = `account ${sub}: signed by a foreign operator: ${stranger.publicKey}`
  t.deepEqual(take(foreign, [kubecon]), [[kubecon.text], [whose]])
  t.deepEqual(take(foreign, []), [[], [whose]])
  // What somebody else put on the volume keeps nothing out, however new it says it is.
  t.deepEqual(take(kubecon, [foreign]), [[kubecon.text], []])
})

test('an account that git has no more is gone', (t) => {
  const held = accounts.map(({ text }) => text)
  const { accounts: taken } = newestAccounts(held.slice(1), held, operator)
  t.deepEqual(
    taken.map(({ text }) => text),
    held.slice(1),
  )
})

test('three files are named, or none', (t) => {
  const environment = { ARCHIPELAGO_REGION: 'ams3', ACCOUNT_FILES: '/o /m /k' }
  t.deepEqual(parseWatchEnvironment(environment).accountFiles, {
    operator: '/o',
    mounted: '/m',
    kept: '/k',
  })
  t.throws(() => parseWatchEnvironment({ ...environment, ACCOUNT_FILES: '/o /m' }), {
    code: 'ERR_ENVIRONMENT',
    message: "ACCOUNT_FILES has to name operator, mounted and kept accounts: '/o /m'",
  })
})

test('a pod waits while nothing of what is mounted is its operator’s', (t) => {
  const { files, environment, mount } = makePod(t)
  const lines: string[] = []
  mount([sign(0, { by: stranger })])
  takeAccounts(files, (line) => lines.push(line))
  t.regex(lines.join(), /^not taken from .*: account .*: signed by a foreign operator/)
  t.regex(missingReason(environment) ?? '', /^region ams3 has no accounts of its operator/)
  writeFileSync(files.operator, kubecon.text)
  takeAccounts(files, (line) => lines.push(line))
  t.regex(lines.pop() ?? '', /^not taken: .*operator\.jwt: /)
  writeFileSync(files.operator, operator.text)
  mount([kubecon])
  takeAccounts(files, (line) => lines.push(line))
  t.is(missingReason(environment), undefined)
  t.is(lines.length, 1)
})

test('whoever is revoked in git is cut from a running server, and an older file lets nobody in', async (t) => {
  const { files, environment, mount } = makePod(t)
  const { processFile } = environment
  mount(accounts)
  takeAccounts(files, () => {})
  const { operator: operatorFile, kept } = files
  const configuration = { operator: operatorFile, resolver: 'MEMORY', pid_file: processFile }
  await using server = await startTestServer(configuration, [kept])
  const lines: string[] = []
  const report = (line: string) => lines.push(line)
  using _watching = signalOnChange(environment, { report, pollMs: 50 })
  const connection = await connectAs(server, alice)
  mount(withKubecon(sign(1, { revoked: [alice] })))
  await connection.closed()
  await t.throwsAsync(connectAs(server, alice), { message: /Authorization Violation/ })
  mount(withKubecon(sign(0)))
  await until('the older file to be refused', () => /KUBECON: issued at/.test(lines.join()))
  await t.throwsAsync(connectAs(server, alice), { message: /Authorization Violation/ })
  await (await connectAs(server, bob)).close()
})

test('with a full resolver a running server would not hear of it', async (t) => {
  const { folder, mount, files } = makePod(t)
  mount(accounts)
  const dir = join(folder, 'resolver')
  const resolver = { type: 'full', dir, allow_delete: false, interval: '2m' }
  const configuration = { operator: files.operator, resolver }
  await using server = await startTestServer(configuration, [files.mounted])
  const connection = await connectAs(server, alice)
  mount(withKubecon(sign(1, { revoked: [alice] })))
  await server.reload(configuration)
  t.false(connection.isClosed())
  await (await connectAs(server, alice)).close()
  await connection.close()
})

const withKubecon = (account: AccountJwt): AccountJwt[] => [
  ...accounts.filter(({ claims }) => claims.sub !== sub),
  account,
]

/** The files of a server's pod, as far as accounts go. */
function makePod(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-pod-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string) => join(folder, name)
  const files = { operator: at('operator.jwt'), mounted: at('mounted'), kept: at('kept/accounts') }
  writeFileSync(files.operator, `${operator.text}\n`)
  const mount = (all: readonly AccountJwt[]): void => {
    const configuration = configureAccounts({
      operatorJwt: operator.text,
      systemAccount: operator.claims.nats.system_account,
      accounts: all.map(({ text: jwt, claims }) => ({ publicKey: claims.sub, jwt })),
    })
    writeFileSync(at('next'), formatConfiguration(configuration, 'mounted'))
    renameSync(at('next'), files.mounted)
  }
  const environment = {
    ...parseWatchEnvironment({ ARCHIPELAGO_REGION: 'ams3' }),
    accountFiles: files,
    processFile: at('nats.pid'),
  }
  return { folder, files, mount, environment }
}

/** A member by the lobby of a region. */
function connectAs({ url }: TestServer, pair: NkeyPair<'user'>): Promise<NatsConnection> {
  const user = signUser(pairOf('account', 'member.lobby.ams3'), {
    publicKey: pair.publicKey,
    name: 'somebody',
    account: pairOf('account', 'KUBECON').publicKey,
    issuedAtSeconds: iat,
    expiresAtSeconds: 4_100_000_000,
  })
  const authenticator = credsAuthenticator(() => ({ user, pair }))
  return connect({ servers: url, authenticator, reconnect: false })
}
