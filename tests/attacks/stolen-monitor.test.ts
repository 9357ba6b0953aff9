// A thief of the key by which a region's servers are asked for their figures: what he mints may ask for these.
import test from 'ava'
import { formatUrl } from '../../core/network/endpoint.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { signUser } from '../../core/trust/user.ts'
import { startSupercluster, type Supercluster } from '../../laptop/supercluster.ts'
import { mayPublish, maySubscribe } from '../../nats/permission.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { makeBareNetwork } from '../laptop/bare-network.ts'

const network = await makeBareNetwork({ regions: 1, servers: 1 })
const account = network.options.trust.systemAccount as Nkey<'account'>
let supercluster: Supercluster

test.before(async () => {
  supercluster = await startSupercluster(network.options)
})

test.after.always(async () => {
  await supercluster?.stop()
  await network[Symbol.asyncDispose]()
})

const connect = (creds: Creds) => {
  const servers = supercluster.regions.flatMap((region) => region.servers)
  return network.connect(
    creds,
    servers.map(({ client }) => formatUrl(client)),
  )
}

function mint(): Creds {
  const pair = makeNkeyPair('user')
  const nowSeconds = Math.floor(Date.now() / 1000)
  const lasting = { issuedAtSeconds: nowSeconds, expiresAtSeconds: nowSeconds + 10 * 365 * 86_400 }
  const of = { publicKey: pair.publicKey, name: 'thief', account, ...lasting }
  return { user: signUser(network.monitor, of), pair }
}

const figures = ['$SYS.REQ.SERVER.PING.VARZ', '$SYS.REQ.SERVER.PING.STATSZ']
const ofServers = (id: string) => [
  ...['KICK', 'LDM', 'RELOAD', 'PROFILEZ', 'CONNZ', 'VARZ'].flatMap((what) => [
    `$SYS.REQ.SERVER.${id}.${what}`,
  ]),
  ...['PROFILEZ', 'CONNZ', 'SUBSZ', 'ACCOUNTZ', 'GATEWAYZ', 'ROUTEZ', 'JSZ', 'KICK', 'RELOAD'].map(
    (what) => `$SYS.REQ.SERVER.PING.${what}`,
  ),
  '$SYS.REQ.SERVER.PING',
  '$SYS.REQ.SERVER.PING.*',
]
const ofAccounts = [
  ...['UPDATE', 'DELETE', 'LIST', 'PACK'].map((what) => `$SYS.REQ.CLAIMS.${what}`),
  ...['CLAIMS.UPDATE', 'CLAIMS.LOOKUP', 'CONNZ', 'INFO'].map(
    (what) => `$SYS.REQ.ACCOUNT.${account}.${what}`,
  ),
  `$SYS.ACCOUNT.${account}.CLAIMS.UPDATE`,
  `_INBOX.${network.pusher.pair.publicKey}.x`,
]
const heard = ['>', '$SYS.>', '$SYS.ACCOUNT.*.CONNECT', '_INBOX.>', '$SYS.REQ.>']

test('he asks for figures, and for nothing else', async (t) => {
  const creds = mint()
  await using thief = await connect(creds)
  const id = thief.info?.server_id ?? ''
  for (const subject of figures) t.true(await mayPublish(thief, subject), subject)
  t.true(await maySubscribe(thief, `_INBOX.${creds.pair.publicKey}.>`))
  for (const subject of [...ofServers(id), ...ofAccounts])
    t.false(await mayPublish(thief, subject), subject)
  for (const subject of heard) t.false(await maySubscribe(thief, subject), subject)
})

test('without the ceiling, as the pusher is, he would: it is what holds', async (t) => {
  await using pusher = await connect(network.pusher)
  for (const what of ['CONNZ', 'ACCOUNTZ', 'PROFILEZ'])
    t.true(await mayPublish(pusher, `$SYS.REQ.SERVER.PING.${what}`), what)
  for (const subject of heard) t.true(await maySubscribe(pusher, subject), subject)
})

test('he cannot widen it by what he writes into a credential', async (t) => {
  const { pair } = mint()
  const iat = Math.floor(Date.now() / 1000)
  const body = { issuer_account: account, type: 'user', version: 2 } as const
  for (const wider of [{ pub: { allow: ['>'] } }, { sub: { allow: ['>'] } }, { subs: -1 }]) {
    const nats = { ...body, ...wider }
    const user = encodeJwt({ iat, sub: pair.publicKey, name: 'thief', nats }, network.monitor)
    await t.throwsAsync(connect({ user, pair }), { code: 'ERR_CONNECT' })
  }
})
