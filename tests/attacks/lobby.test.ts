// Mallory holds the lobby's credential, as everybody may. She hears every answer there, sends what she
// likes to whom she likes, and knows whatever a gateway of hers has read. Each attack is shown to work
// where its protection is taken out.
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { sealAnswer } from '../../core/access/answer.ts'
import { makeAsk, readAnswer, type Ask, type Asking } from '../../core/access/ask.ts'
import type { Grant } from '../../core/access/decision.ts'
import { issueCredential, sealCredential, type RoleSigner } from '../../core/access/issue.ts'
import { parseRequest, type AccessRequest } from '../../core/access/request.ts'
import type { Role } from '../../core/archipelago.ts'
import type { AccountBody } from '../../core/trust/account.ts'
import { parseTicket } from '../../core/trust/invite.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import { signOperator } from '../../core/trust/operator.ts'
import { parseUser } from '../../core/trust/user.ts'
import { provisionCredential, type Provisioning } from '../../functions/provision-credentials.ts'
import type { Handle } from '../../functions/provisioning/work.ts'
import { auditFile } from '../../laptop/functions.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { renewCredential } from '../../requestor/renew-credential.ts'
import { readFunctionTrust, type FunctionTrust } from '../../store/function-trust.ts'
import { functionHome } from '../../store/homes.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import {
  askHttp,
  askNats,
  enterLobby,
  makeHolder,
  nowSeconds,
  spell,
  spellInvite,
  type Answered,
} from '../functions/ask.ts'
import { takeOver } from '../functions/in-process.ts'
import { answeredBy, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

const lobbyConnections = 12

let network: TestNetwork
let lobby: NatsConnection
test.before(async () => {
  network = await startTestNetwork((yaml) =>
    yaml.replace(/(lobby:\s+connectionsMax: )\d+/, `$1${lobbyConnections}`),
  )
  lobby = await enterLobby(network, 'ams3')
})
test.after.always(async () => {
  await lobby?.close()
  await network?.[Symbol.asyncDispose]()
})

function isIssued({ status, body }: Answered): boolean {
  return status === 200 && typeof body['sealed'] === 'string'
}

test.serial('takes every connection that the lobby allows, and again', async (t) => {
  const regions = ['ams3', 'sfo2', 'sgp1']
  const members = await Promise.all(regions.map((region) => network.request({ region })))
  const connected = await Promise.all(
    members.map((each, at) => network.connect(each, regions[at] ?? '')),
  )
  const taken = new Set<NatsConnection>()
  let isOver = false
  // Refused, she tries again; cut, she is back at once.
  const hold = async (region: string): Promise<void> => {
    while (!isOver) {
      const nc = await enterLobby(network, region, { reconnect: false }).catch(() => undefined)
      if (nc === undefined) await delay(100)
      else {
        taken.add(nc)
        if (isOver) await nc.close()
        await nc.closed()
        taken.delete(nc)
      }
    }
  }
  const holding = Array.from({ length: lobbyConnections }, (_, at) => hold(regions[at % 3] ?? ''))
  const isFull = async (): Promise<boolean> => {
    const shut = regions.map((region) =>
      network.request({ region, transport: 'nats' }).then(
        () => false,
        () => true,
      ),
    )
    return (await Promise.all(shut)).every(Boolean)
  }
  t.true(await until('the lobby is full in every region', isFull, { deadlineMs: 20_000 }))

  // With NATS alone a newcomer would be shut out, as above; over HTTPS it gets in.
  for (const region of regions) t.is((await network.request({ region })).region, region)
  // A credential that is renewed within its first second would end in the same one.
  const { iat = 0 } = members.at(-1)?.creds.user.claims ?? {}
  await until('a second is over', () => nowSeconds() > iat)
  for (const [at, nc] of connected.entries()) {
    const current = members[at] as Credential
    const region = regions[at] ?? ''
    const renew = () => renewCredential(nc, { network: network.network, current })
    t.is((await answeredBy(region, renew)).region, region)
  }
  // The watcher makes room for moments only.
  await Promise.all([...taken].map((nc) => nc.close()))
  t.true(await until('the lobby is full again', isFull, { deadlineMs: 20_000 }))
  t.is((await network.request({ region: 'sfo2' })).region, 'sfo2')
  isOver = true
  await Promise.all([...taken, ...connected].map((nc) => nc.close()))
  await Promise.all(holding)
})

for (const door of ['lobby', 'invite'] as const)
  test.serial(`asks for a private role at the ${door}'s door`, async (t) => {
    const holder = makeHolder()
    const bytes = spell(network, { holder, claims: { door, role: 'moderator' } })
    const subject = `chat.req.${door === 'lobby' ? 'access' : 'invite'}.sgp1`
    const rule = door === 'lobby' ? 'ERR_ROLE_DOOR' : 'ERR_INVITE_MISSING'
    t.regex((await askSoon(subject, bytes)).error ?? '', new RegExp(`^${rule}: `))
    const { ca, regions } = network.network.file
    const url = regions.find(({ name }) => name === 'sgp1')?.https[door] ?? ''
    t.regex((await askHttp(url, { ca, body: bytes })).error ?? '', new RegExp(`^${rule}: `))
  })

test.serial(
  'works without both walls: the role opened to the lobby, its key brought there',
  async (t) => {
    const bytes = spell(network, { claims: { role: 'moderator' } })
    const [one, both] = [false, true].map((isKeyHere): ((provisioning: Provisioning) => Handle) => {
      return (provisioning) => (request) => {
        const trust = (): FunctionTrust => openRole(provisioning.trust(), isKeyHere)
        return provisionCredential(request, { ...provisioning, trust })
      }
    })
    const place = { region: 'sgp1', door: 'lobby' } as const
    {
      await using _open = await takeOver(network, place, one && { handle: one })
      const answer = await askSoon('chat.req.access.sgp1', bytes)
      t.is(answer.error, 'ERR_INTERNAL: internal error', 'the lobby has no key for it')
    }
    await using _open = await takeOver(network, place, both && { handle: both })
    t.true(isIssued(await askSoon('chat.req.access.sgp1', bytes)))
  },
)

function openRole(trust: FunctionTrust, isKeyHere: boolean): FunctionTrust {
  const roles = trust.archipelago.roles.map((role) => ({ ...role, doors: ['lobby'] as const }))
  const keysFolder = functionHome(network.homes, 'sgp1', 'invite')
  const invites = readFunctionTrust({ publicFolder: network.homes.public, keysFolder }, 'invite')
  const signers = new Map([...trust.signers, ...(isKeyHere ? invites.signers : [])])
  return { ...trust, archipelago: { ...trust.archipelago, roles }, signers }
}

/** A victim's request, and the inbox to which its answer comes. */
interface Victim {
  readonly asking: Asking
  readonly ask: Ask
  readonly inbox: string
}

function makeVictim(): Victim {
  const { operator } = network.network
  const asking: Asking = {
    ...{ operator, door: 'lobby', role: 'member', name: 'victim' },
    ...makeHolder(),
    ...{ nonce: crypto.randomUUID(), nowMs: Date.now() },
  }
  return { asking, ask: makeAsk(asking), inbox: `_INBOX.victim.${crypto.randomUUID()}` }
}

/** Everything that comes to an inbox, in its order, until it is disposed. */
async function listen(
  nc: NatsConnection,
  inbox: string,
): Promise<Disposable & { all: Uint8Array[] }> {
  const all: Uint8Array[] = []
  const heard = nc.subscribe(inbox, { callback: (_, msg) => void all.push(msg.data) })
  await nc.flush()
  return { all, [Symbol.dispose]: () => heard.unsubscribe() }
}

/**
 * From ams3 to a function elsewhere, which may serve since a moment ago. What a server sends before the
 * others know who listens is lost, so that every requestor asks again, and so does this one.
 */
function askSoon(subject: string, bytes: Uint8Array): Promise<Answered> {
  const isHeard = () => askNats(lobby, subject, bytes, 1_000).catch(() => undefined)
  return until(`${subject} is served`, isHeard)
}

/** What the victim makes of the messages in its inbox. */
function readAll({ ask, asking }: Victim, heard: readonly Uint8Array[]) {
  return heard.map((bytes) => readAnswer(bytes, ask, asking))
}

const askIn = (region: string, bytes: Uint8Array, reply: string): void =>
  lobby.publish(`chat.req.access.${region}`, bytes, { reply })

test.serial("reads another requestor's answer: hears it, and cannot open it", async (t) => {
  const victim = makeVictim()
  const mallory = await enterLobby(network, 'ams3')
  using heard = await listen(mallory, '_INBOX.>')
  // Her server may be another one than the victim's, which learns in a moment what she listens to.
  const again = setInterval(() => askIn('ams3', victim.ask.bytes, victim.inbox), 50)
  const isHeard = () => heard.all.length > 0 && heard.all
  const [bytes] = await until('she hears it', isHeard).finally(() => clearInterval(again))
  t.is(readAnswer(bytes as Uint8Array, victim.ask, victim.asking).kind, 'granted')
  const asMallory = { ...victim.asking, curve: makeHolder().curve }
  t.is(readAnswer(bytes as Uint8Array, victim.ask, asMallory).kind, 'ignored')
  // Long enough not to stand in thousands of random letters by chance.
  t.notRegex(Buffer.from(bytes as Uint8Array).toString(), /eyJ0eXAiOiJKV1Qi|victim/)
  await mallory.close()
})

test.serial('reads it where answers are not sealed', async (t) => {
  const handle = (provisioning: Provisioning): Handle => {
    return (request) => {
      if (request.caller.trigger === 'self') return provisionCredential(request, provisioning)
      const asked = parseRequest(request.bytes)
      const { archipelago, signers } = provisioning.trust()
      const role = archipelago.roles.find(({ name }) => name === asked.claims.role) as Role
      const signer = signers.get(role.name) as RoleSigner
      const user = issueCredential(grantBlindly(asked, role), signer)
      return { isGranted: true, body: JSON.stringify({ jwt: user.text }) }
    }
  }
  await using _open = await takeOver(network, { region: 'sgp1', door: 'lobby' }, { handle })
  const victim = makeVictim()
  const mallory = await enterLobby(network, 'ams3')
  using heard = await listen(mallory, '_INBOX.>')
  const again = setInterval(() => askIn('sgp1', victim.ask.bytes, victim.inbox), 50)
  const isHeard = (): Uint8Array[] | undefined =>
    heard.all.some((each) => each.length > 0)
      ? heard.all.filter((each) => each.length > 0)
      : undefined
  const [bytes] = await until('she hears it', isHeard).finally(() => clearInterval(again))
  const { jwt } = JSON.parse(Buffer.from(bytes as Uint8Array).toString()) as { jwt: string }
  t.is(parseUser(jwt).claims.sub, victim.asking.pair.publicKey)
  await mallory.close()
})

test.serial("reflects a genuine answer to herself into a victim's inbox", async (t) => {
  const [victim, mallory] = [makeVictim(), makeVictim()]
  using heard = await listen(lobby, victim.inbox)
  for (let count = 0; count < 40; count += 1) askIn('ams3', mallory.ask.bytes, victim.inbox)
  askIn('ams3', victim.ask.bytes, victim.inbox)
  await until('all came', () => heard.all.length >= 41)
  const kinds = readAll(victim, heard.all).map(({ kind }) => kind)
  t.deepEqual(kinds.toSorted(), [
    ...Array<string>(1).fill('granted'),
    ...Array<string>(40).fill('ignored'),
  ])
  // A client that takes the first answer would have taken one that was made for another.
  t.is(kinds[0], 'ignored')
  t.is(readAnswer(heard.all[0] as Uint8Array, mallory.ask, mallory.asking).kind, 'granted')
})

/** An answer by an operator of hers, to a request that she has read somewhere. */
function forge({ ask, asking }: Victim, { isPinned }: { isPinned: boolean }) {
  const [identity, key, account, signer] = [
    makeNkeyPair('operator'),
    makeNkeyPair('operator'),
    makeNkeyPair('account'),
    makeNkeyPair('account'),
  ]
  const signingKeys = [key.publicKey]
  const own = {
    name: 'mallory',
    signingKeys,
    systemAccount: account.publicKey,
    nowSeconds: nowSeconds(),
  }
  const operator = signOperator(identity, own)
  const genuine = network.operator.accounts.find(({ claims }) => claims.name === 'KUBECON')
  const scopes = genuine?.claims.nats.signing_keys.filter(
    ({ role }) => role === 'member.lobby.ams3',
  )
  const nats = {
    ...genuine?.claims.nats,
    signing_keys: scopes?.map((scope) => ({ ...scope, key: signer.publicKey })),
  }
  const accountJwt = encodeJwt(
    { iat: nowSeconds(), sub: account.publicKey, name: 'KUBECON', nats: nats as AccountBody },
    key,
  )
  const request = parseRequest(ask.bytes)
  const role = network.archipelago.roles.find(({ name }) => name === 'member') as Role
  const granted = grantBlindly(request, role)
  const user = issueCredential(granted, { key: signer, account: accountJwt })
  const sealed = sealCredential(granted, { user, account: accountJwt, region: 'ams3' })
  const bytes = Buffer.from(JSON.stringify({ sealed }))
  return readAnswer(bytes, ask, isPinned ? asking : { ...asking, operator })
}

test('forges an answer to a request that she has read: it does not lead to the pinned operator', (t) => {
  const victim = makeVictim()
  const read = forge(victim, { isPinned: true })
  t.regex(
    read.kind === 'ignored' ? read.reason : '',
    /^account A\w+: signed by a foreign operator: O\w+$/,
  )
  t.is(forge(victim, { isPinned: false }).kind, 'granted', 'without the pin it would do')
})

test.serial('forges answers and refusals to a request that she has not read', async (t) => {
  const victim = makeVictim()
  using heard = await listen(lobby, victim.inbox)
  const { curve, pair } = makeHolder()
  const nonce = 'a-nonce-of-her-own'
  const answer = { nonce, nkey: pair.publicKey, jwt: 'x', account: 'x', region: 'ams3' }
  const refusal = { code: 'ERR_NAME_DENIED', message: 'go away' }
  const forged = [
    { sealed: sealAnswer(answer, { curve: curve.publicKey, proof: 'x' }) },
    { sealed: 'AAAA' },
    refusal,
    { ...refusal, nonce },
    { code: 'ERR_BUSY', message: 'later' },
  ].map((body) => Buffer.from(JSON.stringify(body)))
  // The lobby may publish requests and nothing else, so that none of them arrives.
  const mallory = await enterLobby(network, 'ams3')
  const violations: unknown[] = []
  void watchViolations(mallory, violations)
  for (const bytes of forged) mallory.publish(victim.inbox, bytes)
  await until('her server refuses', () => violations.length === forged.length)
  askIn('ams3', victim.ask.bytes, victim.inbox)
  await until('the answer came', () => heard.all.length > 0)
  const kinds = readAll(victim, heard.all).map(({ kind }) => kind)
  t.deepEqual(kinds, ['granted'])
  await mallory.close()

  // From a server of hers they would: none is believed, but the one that says no more than "ask the
  // next one", and ends nothing.
  const read = readAll(victim, forged)
  const expected = ['ignored', 'ignored', 'ignored', 'ignored', 'refused']
  t.deepEqual(
    read.map(({ kind }) => kind),
    expected,
  )
  t.like(read[4], { isBusy: true })
  // Where a refusal needed no nonce, or she knew it, hers would be believed.
  const told = Buffer.from(JSON.stringify({ ...refusal, nonce: victim.asking.nonce }))
  t.is(readAnswer(told, victim.ask, victim.asking).kind, 'refused')
})

async function watchViolations(nc: NatsConnection, violations: unknown[]): Promise<void> {
  for await (const status of nc.status()) if (status.type === 'error') violations.push(status.error)
}

const [head, end, request] = ['NATS/1.0\r\n', '\r\n\r\n', 'Nats-Request-Info'] as const

// Her own client would make none of them. What is no header at all was the last thing that a function read.
for (const [what, text] of [
  ['a header whose name is none', `${head}a b: c${end}`],
  ['a header that is cut off before its server adds its own', `${head}a: bc`],
  ['what her server says, cut off', `${head}${request}: {"server":"ams3-0","id":7}xx`],
  ['what her server says, after a line feed', `${head}a: b\n${request}: {"server":"ams3-0"}${end}`],
] as const)
  test.serial(`neither silences a function nor hides from it by ${what}`, async (t) => {
    const mallory = await enterLobby(network, 'sfo2')
    const subject = 'chat.req.access.sfo2'
    const inbox = `_INBOX.${crypto.randomUUID()}`
    using heard = await listen(mallory, inbox)
    const [headers, body] = [Buffer.from(text), Buffer.from(spell(network))]
    const sizes = `${headers.length} ${headers.length + body.length}`
    sendRaw(mallory, [`HPUB ${subject} ${inbox} ${sizes}\r\n`, headers, body, '\r\n'])
    await until('it is answered', () => heard.all.length > 0)
    t.is(JSON.parse(Buffer.from(heard.all[0] ?? []).toString()).code, 'ERR_CALLER_UNKNOWN')
    const audit = auditFile(network.homes, 'sfo2', 'lobby')
    await until('it is in the audit', () =>
      readFileSync(audit, 'utf8').includes('"rule":"ERR_CALLER_UNKNOWN"'),
    )
    t.true(isIssued(await askNats(mallory, subject, spell(network))))
    await mallory.close()
  })

/** Past the client, which would refuse it. */
function sendRaw(nc: NatsConnection, parts: readonly (string | Uint8Array)[]): void {
  const { protocol } = nc as unknown as {
    protocol: { transport: { send(bytes: Uint8Array): void } }
  }
  protocol.transport.send(Buffer.concat(parts.map((part) => Buffer.from(part))))
}

test.serial('uses an invite that a gateway of hers has read, with a key of her own', async (t) => {
  const [invited, thief] = [makeHolder(), makeHolder()]
  const inviteKey = makeNkeyPair('user')
  const { bytes } = spellInvite(network, { holder: invited, key: inviteKey })
  const { ticket, ticketSignature } = parseRequest(bytes)
  const subject = 'chat.req.invite.ams3'
  const own = { door: 'invite', role: 'moderator' }
  const stolen = spell(network, { holder: thief, claims: own, fields: { ticket, ticketSignature } })
  t.regex((await askNats(lobby, subject, stolen)).error ?? '', /^ERR_INVITE_PROOF_WRONG: /)
  // Word by word it is answered again: for the invited's key, sealed to the invited.
  const replayed = await askNats(lobby, subject, bytes)
  t.true(isIssued(replayed))
  const { claims } = parseRequest(bytes)
  const { operator } = network.network
  const asking = { operator, ...own, ...claims, ...thief, nowMs: Date.now() } as unknown as Asking
  const seen = readAnswer(Buffer.from(JSON.stringify(replayed.body)), { claims }, asking)
  t.is(seen.kind, 'ignored')
})

test.serial("uses it where the invite's key need not sign", async (t) => {
  const [invited, thief] = [makeHolder(), makeHolder()]
  const { bytes } = spellInvite(network, { holder: invited })
  const { ticket, ticketSignature } = parseRequest(bytes)
  const own = { door: 'invite', role: 'moderator' }
  const stolen = spell(network, { holder: thief, claims: own, fields: { ticket, ticketSignature } })
  const handle = (provisioning: Provisioning): Handle => {
    return (request) => {
      if (request.caller.trigger === 'self') return provisionCredential(request, provisioning)
      const asked = parseRequest(request.bytes)
      const { archipelago, operator, signers } = provisioning.trust()
      const { claims } = parseTicket(asked.ticket ?? '', operator, nowSeconds())
      const role = archipelago.roles.find(({ name }) => name === claims.nats.role) as Role
      const signer = signers.get(role.name) as RoleSigner
      const granted = grantBlindly(asked, role)
      const user = issueCredential(granted, signer)
      const sealed = sealCredential(granted, { user, account: signer.account, region: 'sgp1' })
      return { isGranted: true, body: JSON.stringify({ sealed }) }
    }
  }
  await using _open = await takeOver(network, { region: 'sgp1', door: 'invite' }, { handle })
  t.true(isIssued(await askSoon('chat.req.invite.sgp1', stolen)))
})

/** Without any rule. */
function grantBlindly({ proof, claims }: AccessRequest, role: Role): Grant {
  const { name, nkey, curve, nonce } = claims
  const issuedAtSeconds = nowSeconds()
  const life = { issuedAtSeconds, expiresAtSeconds: issuedAtSeconds + role.lifetimeSeconds }
  return { rule: 'lobby', role, name, nkey, curve, nonce, proof, ...life }
}
