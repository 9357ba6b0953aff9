// Servers of a cluster have their accounts in memory: what is pushed runs at once, and nobody stores it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import test from 'ava'
import { configureAccounts } from '../../core/network/pod.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { NkeyPair } from '../../core/trust/nkey.ts'
import { signUser } from '../../core/trust/user.ts'
import { credsAuthenticator } from '../../nats/authenticator.ts'
import { pushAccounts } from '../../nats/push-accounts.ts'
import { accountOf, accounts, operator, pairOf, signer, stranger } from '../core/trust/example.ts'
import { startTestServer, type TestServer } from '../test-server.ts'

const kubecon = accountOf('KUBECON')
const expectedServers = ['ams3-0']
const alice = pairOf('user', 'alice')
const revoked = { ...kubecon.claims.nats, revocations: { [alice.publicKey]: 4_000_000_000 } }

test('a push cuts the revoked at once; it is done where the account runs', async (t) => {
  await using server = await startInMemory()
  const pusher = await connectAs(server, 'SYS', 'pusher', pairOf('user', 'pusher'))
  const { claims } = kubecon
  const { sub, name = '' } = claims
  const next = encodeJwt({ iat: claims.iat + 1, sub, name, nats: revoked }, signer)
  const push = () => pushAccounts(pusher, { operator, accounts: [next.text], expectedServers })
  const [early] = await push()
  t.is(early?.servers[0]?.state, 'not-loaded')
  t.false(early?.isDone, 'it would load what it was started with')
  const connection = await connectAs(server, 'KUBECON', 'member.lobby.ams3', alice)
  const [done] = await push()
  t.like(done, { isDone: true, resolvers: { same: 0, other: 0 } })
  await connection.closed()
  await t.throwsAsync(connectAs(server, 'KUBECON', 'member.lobby.ams3', alice))
  const foreign = encodeJwt({ iat: claims.iat + 2, sub, name, nats: claims.nats }, stranger)
  const subject = `$SYS.REQ.ACCOUNT.${sub}.CLAIMS.UPDATE`
  const answer = await pusher.request(subject, foreign.text)
  t.regex(answer.string(), /error/, 'unlike a full resolver it asks who signed')
  await pusher.close()
})

async function startInMemory(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-operator-'))
  const file = join(folder, 'operator.jwt')
  writeFileSync(file, operator.text)
  const configuration = configureAccounts({
    operatorJwt: operator.text,
    systemAccount: operator.claims.nats.system_account,
    accounts: accounts.map(({ text: jwt, claims }) => ({ publicKey: claims.sub, jwt })),
  })
  try {
    const named = { server_name: 'ams3-0', operator: file, resolver: 'MEMORY' }
    return await startTestServer({ ...named, ...configuration })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function connectAs(
  { url }: TestServer,
  account: string,
  signingKey: string,
  pair: NkeyPair<'user'>,
): Promise<NatsConnection> {
  const user = signUser(pairOf('account', signingKey), {
    publicKey: pair.publicKey,
    name: 'somebody',
    account: pairOf('account', account).publicKey,
    issuedAtSeconds: kubecon.claims.iat,
    expiresAtSeconds: 4_100_000_000,
  })
  const authenticator = credsAuthenticator(() => ({ user, pair }))
  return connect({ servers: url, authenticator, reconnect: false, inboxPrefix: inboxOf(pair) })
}

const inboxOf = ({ publicKey }: NkeyPair<'user'>): string => `_INBOX.${publicKey}`
