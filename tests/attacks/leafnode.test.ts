// A thief holds all that a region's leafnode has (certificate, key, credential), or a member's
// credential, and builds a leafnode of his own.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { AccountBody, AccountJwt, PermissionTemplate } from '../../core/trust/account.ts'
import { formatUrl } from '../../core/network/endpoint.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import { formatCreds, parseCreds } from '../../core/trust/creds.ts'
import { leafnodeTarget } from '../../laptop/identity/leafnode-target.ts'
import { identityPaths } from '../../laptop/layout.ts'
import { intermediatesFile } from '../../store/authority-files.ts'
import { connectWithCreds, connectWithNkey, type NatsConnection } from '../../nats/connect.ts'
import { updateAccount } from '../../nats/claims.ts'
import { askServers } from '../../nats/system.ts'
import { readOrRefuse } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { leafnodeCredsFile } from '../../store/leafnode.ts'
import { operatorSigner } from '../../store/operator.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { startTestServer, type TestServer } from '../test-server.ts'
import { until } from '../until.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

const password = 'thief'

/** A leafnode server that dials ams3 with stolen papers; its own listener is open to the thief. */
async function startThief(
  credentials: string,
): Promise<{ server: TestServer; nc: NatsConnection }> {
  const region = network.supercluster.regions[0]
  if (region === undefined) throw new Error('no region')
  const { certificate, key } = identityPaths(network.homes.data, region.leafnode)
  const trusted = intermediatesFile(network.homes.public, 'identity', region.name)
  const tls = { cert_file: certificate, key_file: key, ca_file: trusted, handshake_first: true }
  const urls = region.servers.map(({ leafnode }) => formatUrl(leafnode))
  const server = await startTestServer({
    server_name: 'thief',
    accounts: { A: { users: [{ user: 'thief', password }] } },
    leafnodes: { reconnect: '100ms', remotes: [{ urls, account: 'A', credentials, tls }] },
  })
  const options = { tls: null, user: 'thief', pass: password, authenticator: [] as never }
  const nc = await connectWithNkey(
    { servers: [server.url], ca: '', name: 'thief', options },
    makeNkeyPair('user'),
  )
  return { server, nc }
}

async function hasThief(observer: NatsConnection): Promise<boolean> {
  const answers = await askServers(observer, 'LEAFZ', { expected: 9 })
  return answers.some(({ data }) => data.leafs?.some(({ name }) => name === 'thief'))
}

/** Whether the thief hears requests meant for another region, and whether it may send some itself. */
async function tryEverything(thief: NatsConnection): Promise<{ heard: number; answered: boolean }> {
  let heard = 0
  for (const subject of ['chat.req.access.sfo2', 'chat.req.invite.sfo2', 'chat.>'])
    thief.subscribe(subject, { callback: () => void (heard += 1) })
  await thief.flush()
  // The hub hears of the interest after the thief's own server.
  for (let round = 0; round < 5; round += 1) await network.request({ region: 'sfo2' })
  const answer = thief.request('chat.req.access.sgp1', 'anything', { timeout: 1_000 })
  return {
    heard,
    answered: await answer.then(
      () => true,
      () => false,
    ),
  }
}

function account(name: string): AccountJwt {
  return network.operator.accounts.find(({ claims }) => claims.name === name) as AccountJwt
}

/** The protection taken out on the running network: the account with other ceilings for some roles. */
async function weaken(
  name: string,
  isMeant: (role: string) => boolean,
  change: (template: PermissionTemplate) => PermissionTemplate,
): Promise<() => Promise<void>> {
  const { claims } = account(name)
  const push = async (nats: AccountBody): Promise<void> => {
    const signer = operatorSigner(network.operator.store, network.operator.operator)
    const iat = Math.floor(Date.now() / 1000) + (pushes += 1)
    const jwt = encodeJwt({ iat, sub: claims.sub, name, nats }, signer)
    const pusher = await network.connectAs('pusher')
    await updateAccount(pusher, jwt.text, { expected: 9 })
    await pusher.close()
  }
  const signing_keys = claims.nats.signing_keys.map((scope) =>
    isMeant(scope.role) ? { ...scope, template: change(scope.template) } : scope,
  )
  await push({ ...claims.nats, limits: { ...claims.nats.limits, leaf: 10 }, signing_keys })
  return () => push(claims.nats)
}
let pushes = 0

test.serial(
  'a thief with a leafnode’s papers hears and asks nothing past its permissions',
  async (t) => {
    const observer = await network.connectAs('observer')
    const { server, nc } = await startThief(leafnodeCredsFile(network.homes, 'ams3'))
    await using _ = server
    await until('the thief is connected', () => hasThief(observer))
    const { heard, answered } = await tryEverything(nc)
    t.is(heard, 0)
    t.false(answered)
    await Promise.all([nc.close(), observer.close()])
  },
)

test.serial(
  'taken out: under a wider ceiling the same papers hear other regions’ requests',
  async (t) => {
    const everything = { pub: { allow: ['>'] }, sub: { allow: ['>'] } }
    const restore = await weaken(
      'ACCESS',
      (role) => role === 'leafnode.ams3',
      (template) => ({
        ...template,
        ...everything,
      }),
    )
    const observer = await network.connectAs('observer')
    const { server, nc } = await startThief(leafnodeCredsFile(network.homes, 'ams3'))
    await using _ = server
    await until('the thief is connected', () => hasThief(observer))
    const seen: Awaited<ReturnType<typeof tryEverything>> = await until(
      'the thief hears',
      async () => {
        const tried = await tryEverything(nc)
        return tried.heard > 0 && tried.answered ? tried : undefined
      },
    )
    t.true(seen.heard > 0)
    t.true(seen.answered)
    await Promise.all([nc.close(), observer.close()])
    await restore()
  },
)

function connectAsClient(): Promise<NatsConnection> {
  const creds = parseCreds(readOrRefuse(leafnodeCredsFile(network.homes, 'ams3'), 'credential'))
  const { file } = network.network
  const servers = serversOf(network.network, 'ams3')
  const target = { servers, ca: file.ca, name: 'thief', options: { reconnect: false } }
  return connectWithCreds(target, () => creds)
}

test.serial('a leafnode credential is refused as a client', async (t) => {
  await t.throwsAsync(connectAsClient(), { code: 'ERR_CONNECT' })
})

test.serial(
  'taken out: without connection types in the ceiling it is admitted as a client',
  async (t) => {
    const anyType = (template: PermissionTemplate): PermissionTemplate => ({
      ...template,
      allowed_connection_types: [],
    })
    const restore = await weaken('ACCESS', (role) => role === 'leafnode.ams3', anyType)
    const nc = await connectAsClient()
    t.false(nc.isClosed())
    await nc.close()
    await restore()
  },
)

async function startMemberLeafnode(): Promise<{ server: TestServer; nc: NatsConnection }> {
  const { creds } = await network.request({ region: 'ams3' })
  const file = join(network.folder, 'member.creds')
  writeFileSync(file, formatCreds(creds.user.text, creds.pair.seed))
  return startThief(file)
}

test.serial("a member's credential opens no leafnode", async (t) => {
  const observer = await network.connectAs('observer')
  const { server, nc } = await startMemberLeafnode()
  await using _ = server
  const log = join(server.folder, 'log')
  await until('the thief was refused', () =>
    /Authorization Violation/i.test(readOrRefuse(log, 'log')),
  )
  t.false(await hasThief(observer))
  await Promise.all([nc.close(), observer.close()])
})

test.serial(
  "taken out: with leafnodes in the member's ceiling and account it opens one",
  async (t) => {
    const withLeafnode = (template: PermissionTemplate): PermissionTemplate => ({
      ...template,
      allowed_connection_types: ['STANDARD', 'WEBSOCKET', 'LEAFNODE'],
    })
    const restore = await weaken('KUBECON', (role) => role.startsWith('member.'), withLeafnode)
    const observer = await network.connectAs('observer')
    const { server, nc } = await startMemberLeafnode()
    await using _ = server
    t.true(await until('the thief is connected', () => hasThief(observer)))
    await Promise.all([nc.close(), observer.close()])
    await restore()
  },
)

test.serial('a local process without the key is refused by the leafnode server', async (t) => {
  const { supercluster, archipelago, homes } = network
  const [region] = supercluster.regions
  const place = region?.doors[0]
  if (region === undefined || place === undefined) return t.fail()
  // With the certificate of a function.
  const target = {
    ...leafnodeTarget({ archipelago, homes, region, place }),
    ...{ name: 'local', options: { reconnect: false } },
  }
  await t.throwsAsync(connectWithNkey(target, makeNkeyPair('user')), { code: 'ERR_CONNECT' })
})

test.serial('taken out: a leafnode server without users admits any local process', async (t) => {
  await using server = await startTestServer({ server_name: 'open' })
  const options = { tls: null, reconnect: false, authenticator: [] as never }
  const target = { servers: [server.url], ca: '', name: 'local', options }
  const nc = await connectWithNkey(target, makeNkeyPair('user'))
  t.false(nc.isClosed())
  await nc.close()
})
