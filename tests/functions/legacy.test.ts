// The tutorial of 2020 on the wire: what its programs send and understand, against a network in which
// one role has the door `legacy`. (The programs themselves were run against it by hand: they work.)
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { once } from 'node:events'
import type { Auth } from '@nats-io/nats-core'
import test from 'ava'
import { judgeConnection } from '../../core/access/live-connection.ts'
import { parseCreds } from '../../core/trust/creds.ts'
import { isSignedBy, parseSeed, signWith, type Nkey, type NkeyPair } from '../../core/trust/nkey.ts'
import { auditFile } from '../../laptop/functions.ts'
import { connectWithCreds, type Msg, type NatsConnection } from '../../nats/connect.ts'
import { readLiveConnections } from '../../nats/live-connections.ts'
import { pingServers } from '../../nats/system.ts'
import { keepServiceCreds } from '../../store/service-credential.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { nowSeconds } from './ask.ts'
import { takeOver } from './in-process.ts'

const guest = `
  guest:
    account: KUBECON
    doors: [legacy]
    lifetime: 10m
    publish: [chat.KUBECON.online, chat.KUBECON.posts.*, chat.KUBECON.dms.*]
    subscribe: [chat.KUBECON.online, chat.KUBECON.posts.*, 'chat.KUBECON.dms.{{subject()}}']
    subscriptionsMax: 32
    payloadBytesMax: 1024
`

let network: TestNetwork
let requestor: NatsConnection
test.before(async () => {
  network = await startTestNetwork((yaml) => yaml.replace(/\nroles:\n/, `\nroles:${guest}`))
  requestor = await connectRequestor()
})
test.after.always(async () => {
  await requestor?.close()
  await network?.[Symbol.asyncDispose]()
})

async function connectRequestor(): Promise<NatsConnection> {
  const creds = parseCreds(
    readFileSync(keepServiceCreds(network.operator, 'legacy-requestor', nowSeconds()), 'utf8'),
  )
  const { file } = network.network
  const servers = serversOf(network.network, 'ams3')
  const options = { inboxPrefix: '_INBOX' }
  return connectWithCreds({ servers, ca: file.ca, name: 'nats-req', options }, () => creds)
}

async function ask(payload: string): Promise<string> {
  return (await requestor.request('chat.req.access', payload, { timeout: 5_000 })).string()
}

interface OldCreds {
  readonly jwt: string
  readonly pair: NkeyPair<'user'>
}

/** As the tutorial's chat reads a creds file. */
function readOldCreds(creds: string): OldCreds {
  const decorated = /\s*(?:(?:[-]{3,}[^\n]*[-]{3,}\n)(.+)(?:\n\s*[-]{3,}[^\n]*[-]{3,}\n))/g
  const [jwt, seed, ...rest] = [...creds.matchAll(decorated)].map((match) => match[1] ?? '')
  if (jwt === undefined || seed === undefined || rest.length > 0) throw new Error(creds)
  return { jwt, pair: parseSeed('user', seed) }
}

function connectOld({ jwt, pair }: OldCreds, region: string): Promise<NatsConnection> {
  const sign = (nonce = ''): string =>
    Buffer.from(signWith(pair, Buffer.from(nonce))).toString('base64url')
  const authenticator = (nonce?: string) => ({ jwt, sig: sign(nonce) }) as Auth
  const { file } = network.network
  const target = { servers: serversOf(network.network, region), ca: file.ca, name: 'chat' }
  const none = { user: { claims: {} }, pair } as never
  return connectWithCreds({ ...target, options: { authenticator } }, () => none)
}

interface OldClaims {
  readonly iss: Nkey<'user'>
  readonly type: string
  readonly name: string
  readonly sub: string
  readonly nats?: { readonly msg: string }
}

/** A message as the tutorial's chat makes it: see the recorded ones. */
function encodeOld(pair: NkeyPair<'user'>, claims: object): string {
  const segment = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = segment({
    jti: crypto.randomUUID(),
    iat: nowSeconds(),
    iss: pair.publicKey,
    ...claims,
  })
  const signature = Buffer.from(signWith(pair, Buffer.from(body))).toString('base64url')
  return `${segment({ typ: 'jwt', alg: 'ed25519' })}.${body}.${signature}`
}

/** As the tutorial's chat reads one; refuses the form of today. */
function decodeOld(text: string): OldClaims {
  const [head = '', body = '', signature = ''] = text.split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  const claims = read(body) as OldClaims
  const isOld = (read(head) as { alg: string }).alg === 'ed25519'
  const isGood = isSignedBy(claims.iss, Buffer.from(body), Buffer.from(signature, 'base64url'))
  if (!isOld || !isGood) throw new Error(text)
  return claims
}

test('a name is answered with a creds file of the old form, for the life of its role', async (t) => {
  const { jwt, pair } = readOldCreds(await ask('Alice Cooper'))
  const [head = '', body = ''] = jwt.split('.')
  t.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { typ: 'jwt', alg: 'ed25519' })
  const claims = decodeOld(jwt) as unknown as Record<string, unknown>
  t.like(claims, { name: 'alice', sub: pair.publicKey, type: 'user' })
  t.is(Number(claims['exp']) - Number(claims['iat']), 600)
  t.true(body.length > 0)
})

for (const [what, payload, answer] of [
  ['no name', '', "-ERR 'Name can not be empty'"],
  ['white space', '  ', "-ERR 'Name can not be empty'"],
  ['a control character', 'a\u001bb', String.raw`-ERR 'illegal name: "a\u{1b}b"'`],
  ['a wildcard', '>', `-ERR 'illegal name: ">"'`],
] as const)
  test(`${what} is answered with an error, and with nothing else`, async (t) => {
    t.is(await ask(payload), answer)
  })

test('the requestor knows one subject, and may hear nothing but answers', async (t) => {
  const timeout = 20_000
  for (const subject of ['chat.req.access.sfo2', 'chat.req.legacy', 'chat.req.invite'])
    await t.throwsAsync(requestor.request(subject, 'alice', { timeout }), {
      message: /permissions violation/i,
    })
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  requestor.subscribe('chat.>', { callback: (error) => resolve(error) })
  t.regex(String(await promise), /Permissions Violation/i)
})

test('old and new members chat across the regions, in the old form', async (t) => {
  const [alice, bob] = [readOldCreds(await ask('alice')), readOldCreds(await ask('bob'))]
  const carol = (await network.request({ name: 'carol', region: 'sgp1' })).creds
  const all = await Promise.all([
    connectOld(alice, 'ams3'),
    connectOld(bob, 'sfo2'),
    network.connect({ creds: carol } as never, 'sgp1'),
  ])
  const heard = new Set<string>()
  const pairs = [alice.pair, bob.pair, carol.pair]
  const listen = (at: number): void => {
    const { publicKey } = pairs[at] as NkeyPair<'user'>
    const callback = (error: Error | null, msg: Msg): void => {
      if (error !== null) return
      const { type, name, nats } = decodeOld(msg.string())
      heard.add(`${['alice', 'bob', 'carol'][at]} hears ${type} of ${name}: ${nats?.msg ?? 'here'}`)
    }
    for (const subject of ['online', 'posts.*', `dms.${publicKey}`])
      all[at]?.subscribe(`chat.KUBECON.${subject}`, { callback })
  }
  pairs.forEach((_, at) => listen(at))
  await Promise.all(all.map((nc) => nc.flush()))
  const say = (at: number, subject: string, claims: object): void =>
    all[at]?.publish(`chat.KUBECON.${subject}`, encodeOld(pairs[at] as NkeyPair<'user'>, claims))
  const names = ['alice', 'bob', 'carol']
  const speak = (): void =>
    names.forEach((name, at) => {
      const { publicKey: sub } = pairs[at] as NkeyPair<'user'>
      const exp = nowSeconds() + 60
      const msg = `I am ${name}`
      say(at, 'online', { exp, name, sub, tags: ['new'], type: 'chat-online' })
      say(at, 'posts.KUBECON', { name, sub: 'KUBECON', type: 'chat-post', nats: { msg } })
      const to = pairs[(at + 1) % 3] as NkeyPair<'user'>
      const dm = { name, sub: names[(at + 1) % 3], type: 'chat-dm', nats: { msg: 'psst' } }
      say(at, `dms.${to.publicKey}`, dm)
    })
  const expected = names.flatMap((name, at) => [
    `${names[(at + 1) % 3]} hears chat-dm of ${name}: psst`,
    ...names.flatMap((hearer) => [
      `${hearer} hears chat-online of ${name}: here`,
      `${hearer} hears chat-post of ${name}: I am ${name}`,
    ]),
  ])
  // Until all servers know who listens, what is said there is heard by nobody.
  const again = setInterval(speak, 100)
  await until('all is heard', () => heard.size >= expected.length).finally(() =>
    clearInterval(again),
  )
  t.deepEqual([...heard].toSorted(), expected.toSorted())
  await Promise.all(all.map((nc) => nc.close()))
})

test("the ceiling of the role holds: no other's direct messages, no renewal, no shouting", async (t) => {
  const [alice, bob] = [readOldCreds(await ask('alice')), readOldCreds(await ask('bob'))]
  const nc = await connectOld(alice, 'ams3')
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  nc.subscribe(`chat.KUBECON.dms.${bob.pair.publicKey}`, { callback: (error) => resolve(error) })
  t.regex(String(await promise), /Permissions Violation/i)
  await t.throwsAsync(nc.request('chat.req.renew.legacy', 'alice', { timeout: 20_000 }), {
    message: /permissions violation/i,
  })
  await nc.close()
})

test('the watcher leaves an old member where it is', async (t) => {
  const alice = readOldCreds(await ask('watched'))
  const nc = await connectOld(alice, 'sfo2')
  const observer = await network.connectAs('observer')
  const servers = await pingServers(observer, { expected: 9 })
  const live = await Promise.all(servers.map((server) => readLiveConnections(observer, server)))
  const found = live.flat().find(({ nkey }) => nkey === alice.pair.publicKey)
  const { archipelago, operator: trust } = network
  t.is(found?.claims?.name, 'watched')
  t.is(found && judgeConnection(found, { archipelago, trust, nowSeconds: nowSeconds() }), undefined)
  await Promise.all([nc.close(), observer.close()])
})

test('the audit names the warning, and never the seed', async (t) => {
  const { pair } = readOldCreds(await ask('dave'))
  const file = auditFile(network.homes, 'ams3', 'legacy')
  const line = await until('the line is written', () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .find((each) => each.includes(pair.publicKey)),
  )
  t.like(JSON.parse(line), {
    ...{ verdict: 'granted', rule: 'legacy', role: 'guest', name: 'dave' },
    warning: 'a seed made here was sent over the wire',
  })
  t.false(readFileSync(file, 'utf8').includes(pair.seed))
})

test('such a function warns when it starts, and has no door of HTTPS', async (t) => {
  await using running = await takeOver(network, { region: 'sgp1', door: 'legacy' })
  t.deepEqual(running.reported, [
    'warning: this door makes seeds and sends them over the wire',
    'is serving',
  ])
  const place = network.supercluster.regions.find(({ name }) => name === 'sgp1')
  const { host, port } = place?.doors.find(({ door }) => door === 'legacy')?.https ?? {
    host: '',
    port: 0,
  }
  await t.throwsAsync(once(connectTcp({ host, port }), 'connect'), { code: 'ECONNREFUSED' })
})
