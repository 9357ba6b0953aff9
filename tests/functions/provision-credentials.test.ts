import { readFileSync } from 'node:fs'
import test from 'ava'
import { generateCurveKeyPair } from '../../core/access/curve-key.ts'
import { renewSubject } from '../../core/network/access-subject.ts'
import { denyListState, signDenyList } from '../../core/trust/deny-list.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import type { Auth } from '@nats-io/nats-core'
import { credsAuthenticator } from '../../nats/authenticator.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { askFunctionStates } from '../../nats/function-states.ts'
import { readLiveConnections } from '../../nats/live-connections.ts'
import { askServers, pingServers } from '../../nats/system.ts'
import { pushDenyList } from '../../nats/push-deny-list.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { publicFiles } from '../../store/public.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { askNats, nowSeconds, signerOf, spell } from './ask.ts'
import { takeOver } from './in-process.ts'

let network: TestNetwork
test.before(async () => {
  network = await startTestNetwork()
})
test.after.always(() => network?.[Symbol.asyncDispose]())

for (const region of ['ams3', 'sfo2', 'sgp1'])
  test(`a request in ${region} is answered by ${region}'s own function`, async (t) => {
    const credential = await network.requestFrom(region)
    t.is(credential.region, region)
  })

test('a message of a member in ams3 is heard in sgp1', async (t) => {
  const [alice, bob] = await Promise.all([
    network.request({ name: 'alice', region: 'ams3' }),
    network.request({ name: 'bob', region: 'sgp1' }),
  ])
  const [sender, hearer] = await Promise.all([
    network.connect(alice, 'ams3'),
    network.connect(bob, 'sgp1'),
  ])
  const { promise, resolve } = Promise.withResolvers<string>()
  hearer.subscribe('chat.KUBECON.posts.*', { callback: (_, msg) => resolve(msg.string()) })
  await hearer.flush()
  const repeat = setInterval(() => sender.publish('chat.KUBECON.posts.General', 'ahoy'), 50)
  t.is(await promise, 'ahoy')
  clearInterval(repeat)
  await Promise.all([sender.close(), hearer.close()])
})

test('a renewal is of the key that its connection proved, not of one that it claims', async (t) => {
  const [alice, mallory] = await Promise.all([
    network.request({ name: 'alice', region: 'ams3' }),
    network.request({ name: 'mallory', region: 'ams3' }),
  ])
  const { pair, user } = alice.creds
  const holder = { pair, curve: generateCurveKeyPair() }
  // Alice's own request, as a gateway could have read it.
  const bytes = spell(network, { holder, purpose: 'renewal', fields: { jwt: user.text } })
  const subject = renewSubject('lobby', 'ams3')

  const own = await network.connect(alice, 'ams3')
  t.is((await askNats(own, subject, bytes)).status, 200)
  const thief = await connectWithClaim(mallory, pair.publicKey)
  const refused = await askNats(thief, subject, bytes)
  t.is(
    refused.error,
    `ERR_PROOF_OTHER_KEY: proof is for another key than the connection's: ${pair.publicKey}`,
  )
  t.is(await userOf('thief'), pair.publicKey, 'the server believes the claim')
  t.is(await keyOf('mallory'), mallory.creds.pair.publicKey)
  await Promise.all([own.close(), thief.close()])
})

/** As ams3's servers tell of a connection of this name. */
async function userOf(name: string): Promise<string | undefined> {
  const observer = await network.connectAs('observer')
  const answers = await askServers(observer, 'CONNZ', { expected: 9, options: { auth: true } })
  await observer.close()
  const all = answers.flatMap(({ data }) => data.connections)
  return all.find((each) => each.name === name)?.authorized_user
}

/** As the watcher sees it, who revokes keys by it. */
async function keyOf(name: string): Promise<string | undefined> {
  const observer = await network.connectAs('observer')
  const servers = await pingServers(observer, { expected: 9 })
  const live = await Promise.all(servers.map((server) => readLiveConnections(observer, server)))
  await observer.close()
  return live.flat().find(({ claims }) => claims?.name === name)?.nkey
}

/** nats-server tells the claimed key as the connection's user: to go by that would let the thief in. */
function connectWithClaim({ creds }: Credential, nkey: string): Promise<NatsConnection> {
  const { network: of } = network
  const prove = credsAuthenticator(() => creds)
  const authenticator = (nonce?: string) => ({ ...prove(nonce), nkey }) as Auth
  const target = { servers: serversOf(of, 'ams3'), ca: of.file.ca, name: 'thief' }
  return connectWithCreds({ ...target, options: { authenticator } }, () => creds)
}

test.serial('shows itself as a service: who it is, what it answers, and how much', async (t) => {
  await network.request({ region: 'sgp1' })
  const nc = await network.connectAs('access-operator')
  const ask = async <T>(verb: string): Promise<T[]> => {
    const options = { strategy: 'stall', stall: 200, maxWait: 2_000 } as const
    const answers: T[] = []
    for await (const answer of await nc.requestMany(
      `$SRV.${verb}.provision-credentials`,
      '',
      options,
    ))
      answers.push(answer.json<T>())
    return answers
  }
  const infos = await ask<ServiceInfo>('INFO')
  t.is(infos.length, 9)
  const sgp1 = infos.find(({ metadata: { region, door } }) => region === 'sgp1' && door === 'lobby')
  t.deepEqual(
    sgp1?.endpoints.map(({ subject }) => subject),
    [
      'chat.req.access',
      'chat.req.access.sgp1',
      'chat.req.renew.lobby',
      'chat.req.renew.lobby.sgp1',
    ],
  )
  t.true(
    infos.every(({ endpoints }) =>
      endpoints.every(({ queue_group }) =>
        /^provision-credentials-(lobby|invite|identity)$/.test(queue_group),
      ),
    ),
  )
  const stats = await ask<ServiceInfo>('STATS')
  const counted = stats.find(({ id }) => id === sgp1?.id)?.endpoints
  t.true((counted?.find(({ name }) => name === 'access-sgp1')?.num_requests ?? 0) >= 1)
  await nc.close()
})

interface ServiceInfo {
  readonly id: string
  readonly metadata: { readonly region: string; readonly door: string }
  readonly endpoints: readonly {
    readonly name: string
    readonly subject: string
    readonly queue_group: string
    readonly num_requests: number
  }[]
}

test.serial('a function that missed a deny list has it before it serves', async (t) => {
  const name = 'sfo2-invite'
  await network.functions.remove(name)
  const { operator, denyList: previous } = network.operator
  const list = signDenyList(signerOf(network), {
    operator: operator.claims.sub as Nkey<'operator'>,
    previous,
    added: { names: ['Trudy'] },
    nowSeconds: nowSeconds(),
  })
  const nc = await network.connectAs('access-operator')
  const pushed = await pushDenyList(nc, { list: () => list, expected: [], deadlineMs: 1_000 })
  t.is(pushed.holders.length, 8)
  // Its files say nothing of the list: whoever holds it tells.
  await using _back = await takeOver(network, { region: 'sfo2', door: 'invite' })
  const states = await askFunctionStates(nc, { expected: 9 })
  const { sequence, digest } = denyListState(list)
  t.like(
    states.find(({ region, door }) => region === 'sfo2' && door === 'invite'),
    { sequence, digest },
  )
  t.is(readFileSync(publicFiles.denyList(network.homes.public), 'utf8'), previous.text)
  await nc.close()
})
