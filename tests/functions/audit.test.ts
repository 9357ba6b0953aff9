// Every decision of a run with attacks is a line of one form, and none of the secrets of the run is in it.
import { existsSync, readFileSync } from 'node:fs'
import test from 'ava'
import { makeExchange } from '../../core/access/ask-exchange.ts'
import { auditLine, type AuditLine } from '../../core/access/audit-line.ts'
import {
  accessSubject,
  exchangeSubject,
  functionDoors,
  renewSubject,
} from '../../core/network/access-subject.ts'
import { parseCreds } from '../../core/trust/creds.ts'
import { auditFile } from '../../laptop/functions.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { exchangeSvid } from '../../requestor/exchange-svid.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { keepServiceCreds } from '../../store/service-credential.ts'
import { keyFiles, withTokens } from '../core/access/token-example.ts'
import { serversOf, startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import { authorityOf, mintSvid } from '../workloads.ts'
import { askHttp, askNats, enterLobby, makeHolder, nowSeconds, spell, spellInvite } from './ask.ts'
import { askingOrders, postForm, regionOf, sealTo } from './exchange.ts'
import { placeOf } from './reissue.ts'

const region = 'ams3'
const billing = 'spiffe://ams3.archipelago.example/workload/billing'
const more = `
roles:
  guest:
    account: KUBECON
    doors: [legacy]
    lifetime: 10m
    publish: [chat.KUBECON.online]
    subscribe: [chat.KUBECON.online]
    subscriptionsMax: 32
    payloadBytesMax: 1024
  billing:
    account: KUBECON
    doors: [identity]
    identity: [{ spiffeId: ${billing} }]
    lifetime: 10m
    publish: [chat.KUBECON.online]
    subscribe: [chat.KUBECON.online]
    subscriptionsMax: 32
    payloadBytesMax: 1024
`

let network: TestNetwork
let lobby: NatsConnection
test.before(async () => {
  const edit = (yaml: string) => withTokens(yaml).replace('\nroles:\n', () => more)
  network = await startTestNetwork(edit, keyFiles)
  lobby = await enterLobby(network, region)
})
test.after.always(async () => {
  await lobby?.close()
  await network?.[Symbol.asyncDispose]()
})

/** What must be nowhere. */
const secrets: string[] = []
const secret = (...texts: string[]): void => void secrets.push(...texts)

function holder() {
  const made = makeHolder()
  secret(made.pair.seed)
  return made
}

const linesOf = (door: (typeof functionDoors)[number]): string[] => {
  const file = auditFile(network.homes, region, door)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').split('\n').filter(Boolean)
}

test('whatever was asked, each decision is one line that the schema knows, without a secret', async (t) => {
  await askLobby()
  await askInvites()
  await exchangeTokens()
  await showCertificates()
  await askAsOf2020()
  await askUnread()

  await until('all rules', () => Object.values(summary(read())).flat().length === ruleCount)
  const lines = read()
  t.deepEqual(summary(lines), expected)
  const texts = functionDoors.flatMap(linesOf)
  for (const one of secrets) t.false(texts.join('\n').includes(one), one.slice(0, 8))
  t.true(secrets.length > 20)
  const seed = /S[UAOPN][A-Z2-7]{56}/
  t.deepEqual(
    texts.filter((text) => seed.test(text) || text.includes('eyJ')),
    [],
  )
})

const expected = {
  'access granted over https': ['lobby'],
  'access granted over nats': ['invite', 'legacy', 'lobby'],
  'access refused over https': [
    'ERR_METHOD_ILLEGAL',
    'ERR_PROOF_ILLEGAL',
    'ERR_REQUEST_NOT_JSON',
    'ERR_REQUEST_OVERSIZE',
  ],
  'access refused over nats': [
    'ERR_INVITE_PROOF_WRONG',
    'ERR_NAME_MISSING',
    'ERR_PROOF_WRONG',
    'ERR_ROLE_DOOR',
    'ERR_ROLE_UNKNOWN',
  ],
  'connection refused over mtls': ['ERR_CALLER_CERTIFICATE'],
  'exchange granted over https': ['identity'],
  'exchange granted over mtls': ['identity'],
  'exchange refused over https': [
    'ERR_CLIENT_AUTHENTICATION',
    'ERR_CONTENT_TYPE',
    'ERR_GRANT_TYPE',
    'ERR_ROLE_UNKNOWN',
    'ERR_TOKEN_BINDING',
  ],
  'exchange refused over mtls': ['ERR_TOKEN_SUBJECT'],
  'renewal granted over nats': ['renewal'],
  'renewal refused over nats': ['ERR_PROOF_OTHER_KEY'],
  'sealed-exchange granted over nats': ['identity'],
  'sealed-exchange refused over nats': ['ERR_TOKEN_BINDING', 'ERR_TOKEN_UNSEALED'],
}
const ruleCount = Object.values(expected).flat().length

const read = (): AuditLine[] =>
  functionDoors.flatMap(linesOf).map((text) => auditLine.parse(JSON.parse(text)))

/** By kind, verdict and trigger: the rules, each once. */
function summary(lines: readonly AuditLine[]): Record<string, string[]> {
  const by: Record<string, Set<string>> = {}
  for (const { kind, verdict, rule, caller } of lines)
    (by[`${kind} ${verdict} over ${caller.trigger}`] ??= new Set()).add(rule)
  return Object.fromEntries(Object.entries(by).map(([key, rules]) => [key, [...rules].toSorted()]))
}

async function askLobby(): Promise<void> {
  const subject = accessSubject('lobby', region)
  const url = regionOf(network, region).https.lobby ?? ''
  const { ca } = network.network.file
  const [mine, stranger] = [holder(), holder()]
  const bytes = spell(network, { holder: mine })
  await askNats(lobby, subject, bytes)
  await askHttp(url, { ca, body: spell(network, { holder: mine }) })
  await askNats(lobby, subject, spell(network, { holder: mine, signer: stranger.pair }))
  await askNats(lobby, subject, spell(network, { claims: { role: 'moderator' } }))
  await askNats(lobby, subject, spell(network, { claims: { role: mine.pair.seed } }))
  await askHttp(url, { ca, body: Buffer.from('no JSON') })
  await askHttp(url, { ca, body: spell(network, { fields: { proof: mine.pair.seed } }) })

  const member = await network.requestFrom(region)
  secret(member.creds.pair.seed, member.creds.user.text)
  const nc = await network.connect(member, region)
  const own = { holder: { ...mine, pair: member.creds.pair }, purpose: 'renewal' } as const
  const renewal = spell(network, { ...own, fields: { jwt: member.creds.user.text } })
  await askNats(nc, renewSubject('lobby', region), renewal)
  await askNats(nc, renewSubject('lobby', region), bytes)
  await nc.close()
}

async function askInvites(): Promise<void> {
  const subject = accessSubject('invite', region)
  const key = makeNkeyPair('user')
  secret(key.seed)
  for (const keySigner of [key, makeNkeyPair('user')]) {
    const { bytes } = spellInvite(network, { holder: holder(), key, keySigner })
    const { ticket, ticketSignature } = JSON.parse(String(bytes)) as Record<string, string>
    secret(ticket ?? '', ticketSignature ?? '')
    await askNats(lobby, subject, bytes)
  }
}

async function exchangeTokens(): Promise<void> {
  const [mine, thief] = [holder(), holder()]
  const asking = askingOrders(network, mine)
  const { token } = asking
  secret(token, ...token.split('.'))
  const { form } = makeExchange(asking)
  const granted = await postForm(network, region, { form })
  secret(String(granted.body['access_token']))
  const subject = exchangeSubject(region)
  await askNats(lobby, subject, sealTo(network, region, form))
  const stolen = makeExchange({ ...askingOrders(network, thief), token }).form
  await postForm(network, region, { form: stolen })
  await askNats(lobby, subject, sealTo(network, region, stolen))
  await askNats(lobby, subject, Buffer.from(stolen))
  await postForm(network, region, { form: form.replace('grant_type=', `grant_type=${token}`) })
  await postForm(network, region, { form: makeExchange({ ...asking, role: token }).form })
}

async function showCertificates(): Promise<void> {
  const { archipelago, homes } = network
  const bundles = readBundles(openFiles(), homes)
  const authority = authorityOf({ data: homes.data, archipelago }, region)
  for (const id of [billing, `${billing}-2`]) {
    const workload = { ...(await mintSvid(id, authority)), bundles }
    secret(workload.key.split('\n')[1] ?? '')
    const { pair } = holder()
    const asked = { network: network.network, role: 'billing', region, pair, workload }
    const credential = await exchangeSvid(asked).catch(() => undefined)
    if (credential) secret(credential.creds.user.text)
  }
}

/** The one door that sends a seed, to whoever asks: it is in the answer, and nowhere else. */
async function askAsOf2020(): Promise<void> {
  const creds = parseCreds(
    readFileSync(keepServiceCreds(network.operator, 'legacy-requestor', nowSeconds()), 'utf8'),
  )
  const { file } = network.network
  const options = { inboxPrefix: '_INBOX' }
  const target = { servers: serversOf(network.network, region), ca: file.ca, name: 'x', options }
  const nc = await connectWithCreds(target, () => creds)
  const answer = (await nc.request('chat.req.access', 'carol', { timeout: 5_000 })).string()
  // Its JWT is of the old form, which we write and do not read.
  secret(...answer.split('\n').filter((line) => /^[\w.-]{50,}$/.test(line)))
  await nc.request('chat.req.access', ' ', { timeout: 5_000 })
  await nc.close()
}

/** What is refused before it is read, at its door or at the handshake. */
async function askUnread(): Promise<void> {
  const url = regionOf(network, region).https.lobby ?? ''
  const { ca } = network.network.file
  await askHttp(url, { ca, body: Buffer.alloc(4_097) })
  await askHttp(url, { ca, method: 'PUT' })
  const basic = { authorization: `Basic ${btoa('x:y')}` }
  secret(btoa('x:y'))
  await postForm(network, region, { form: 'a=b', headers: basic })
  await postForm(network, region, { form: 'a=b', headers: { 'content-type': 'text/plain' } })
  const { host, port } = placeOf(network, { region, door: 'identity' }).mtls
  await askHttp(`https://${host}:${port}/token`, { rejectUnauthorized: false }).catch(() => {})
}
