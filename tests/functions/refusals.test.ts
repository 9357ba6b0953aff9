// What a requestor is told by the functions of a running network, over NATS and over HTTPS: each fault
// has its code, and nothing is issued with it.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { signDenyList } from '../../core/trust/deny-list.ts'
import { accessSubject, type AccessDoor } from '../../core/network/access-subject.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { auditFile } from '../../laptop/functions.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { pushDenyList } from '../../nats/push-deny-list.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'
import {
  askHttp,
  askNats,
  enterLobby,
  makeHolder,
  nowSeconds,
  signerOf,
  spell,
  spellInvite,
  type Answered,
  type InviteSpelled,
  type Spelled,
} from './ask.ts'

let network: TestNetwork
let lobby: NatsConnection

const region = 'ams3'
const holder = makeHolder()
const other = makeHolder()
const deniedHolder = makeHolder()
const deniedKey = makeNkeyPair('user')
const stranger = makeNkeyPair('operator')
/** The same ticket each time it is spelled, so that it can be denied. */
const deniedTicket = {
  key: deniedKey.publicKey,
  name: 'trudy',
  nowSeconds: nowSeconds(),
  expiresAtSeconds: nowSeconds() + 3_600,
}
const spellDenied = () =>
  spellInvite(network, { ticket: deniedTicket, key: deniedKey, claims: { name: 'trudy' } })

test.before(async () => {
  network = await startTestNetwork()
  lobby = await enterLobby(network, region)
  await deny()
})
test.after.always(async () => {
  await lobby?.close()
  await network?.[Symbol.asyncDispose]()
})

async function deny(): Promise<void> {
  const { operator, denyList: previous } = network.operator
  const added = {
    nkeys: [deniedHolder.pair.publicKey],
    names: ['Mallory'],
    tickets: [spellDenied().ticketId],
  }
  const list = signDenyList(signerOf(network), {
    operator: operator.claims.sub as Nkey<'operator'>,
    previous,
    added,
    nowSeconds: nowSeconds(),
  })
  const nc = await network.connectAs('access-operator')
  const expected = ['ams3', 'sfo2', 'sgp1'].flatMap((name) =>
    ['lobby', 'invite'].map((door) => ({ region: name, door })),
  )
  const { isDone, missing } = await pushDenyList(nc, { list: () => list, expected })
  if (!isDone) throw new Error(`deny list did not reach ${missing.join(', ')}`)
  await nc.close()
}

interface Fault {
  readonly what: string
  readonly spell: () => Uint8Array | { bytes: Uint8Array; ticketId: string }
  readonly status: number
  /** `code: message`; ID stands for the id of the ticket. */
  readonly error: string
}

const atLobby = (spelled: Spelled) => () => spell(network, { holder, ...spelled })
const withInvite = (spelled: InviteSpelled) => () => spellInvite(network, { holder, ...spelled })
const raw = (text: string) => () => Buffer.from(text)
const { publicKey: nkey } = holder.pair

const lobbyFaults: Fault[] = [
  {
    what: 'nothing',
    spell: raw(''),
    status: 400,
    error: 'ERR_REQUEST_NOT_JSON: request is not JSON in UTF-8',
  },
  {
    what: 'what is not JSON',
    spell: raw('{"proof":'),
    status: 400,
    error: 'ERR_REQUEST_NOT_JSON: request is not JSON in UTF-8',
  },
  {
    what: 'a list',
    spell: raw('[]'),
    status: 400,
    error: 'ERR_REQUEST_NOT_JSON: request is not a JSON object',
  },
  {
    what: 'an unknown field',
    spell: raw('{"admin":"yes"}'),
    status: 400,
    error: "ERR_REQUEST_ILLEGAL: illegal request: unknown field: 'admin'",
  },
  {
    what: 'no proof',
    spell: raw('{}'),
    status: 400,
    error: 'ERR_PROOF_ILLEGAL: request has no proof',
  },
  {
    what: 'no signature',
    spell: atLobby({ fields: { signature: undefined } }),
    status: 400,
    error: 'ERR_PROOF_ILLEGAL: request has no signature',
  },
  {
    what: 'no name',
    spell: atLobby({ claims: { name: undefined } }),
    status: 400,
    error: 'ERR_NAME_MISSING: name is missing',
  },
  {
    what: 'a name over the limit',
    spell: atLobby({ claims: { name: 'x'.repeat(33) } }),
    status: 400,
    error: 'ERR_NAME_TOO_LONG: name is over 32 characters',
  },
  {
    what: 'a name with a control character',
    spell: atLobby({ claims: { name: 'a\nb' } }),
    status: 400,
    error: String.raw`ERR_NAME_ILLEGAL: illegal name: 'a\u{a}b'`,
  },
  {
    what: 'an unknown role',
    spell: atLobby({ claims: { role: 'king' } }),
    status: 404,
    error: "ERR_ROLE_UNKNOWN: unknown role: 'king'",
  },
  {
    what: 'a role without that door',
    spell: atLobby({ claims: { role: 'moderator' } }),
    status: 403,
    error: 'ERR_ROLE_DOOR: role moderator is not given at this door: lobby',
  },
  {
    what: 'a wrong proof',
    spell: atLobby({ signer: other.pair }),
    status: 401,
    error: `ERR_PROOF_WRONG: proof is not signed by its nkey: ${nkey}`,
  },
  {
    what: 'a proof for another key',
    spell: atLobby({ claims: { nkey: other.pair.publicKey } }),
    status: 401,
    error: `ERR_PROOF_WRONG: proof is not signed by its nkey: ${other.pair.publicKey}`,
  },
  {
    what: 'a stale proof',
    spell: atLobby({ claims: { time: Date.now() - 3_600_000 } }),
    status: 401,
    error: 'ERR_PROOF_STALE: proof says TIME, this clock says TIME: 60 s apart at most',
  },
  {
    what: 'a proof for another door',
    spell: atLobby({ claims: { door: 'invite' } }),
    status: 401,
    error: "ERR_PROOF_AUDIENCE: proof is not for this operator's door: lobby",
  },
  {
    what: 'no curve key',
    spell: atLobby({ claims: { curve: undefined } }),
    status: 400,
    error: 'ERR_CURVE_MISSING: no curve key to which the answer can be sealed',
  },
  {
    what: 'a curve key that is none',
    spell: atLobby({ claims: { curve: 'AAAA' } }),
    status: 400,
    error: "ERR_CURVE_ILLEGAL: curve key is not 32 bytes of base64url: 'AAAA'",
  },
  {
    what: 'a denied nkey',
    spell: atLobby({ holder: deniedHolder }),
    status: 403,
    error: `ERR_NKEY_DENIED: nkey is denied: ${deniedHolder.pair.publicKey}`,
  },
  {
    what: 'a denied name',
    spell: atLobby({ claims: { name: 'mallory' } }),
    status: 403,
    error: "ERR_NAME_DENIED: name is denied: 'mallory'",
  },
]

const inviteFaults: Fault[] = [
  {
    what: 'no invite',
    spell: atLobby({ claims: { door: 'invite', role: 'moderator' } }),
    status: 401,
    error: 'ERR_INVITE_MISSING: no invite: ticket and ticketSignature are needed here',
  },
  {
    what: 'an invite that is no ticket',
    spell: withInvite({ fields: { ticket: 'x.y.z' } }),
    status: 403,
    error: 'ERR_INVITE_ILLEGAL: illegal invite: not a ticket',
  },
  {
    what: 'an invite by a stranger',
    spell: withInvite({ ticketSigner: stranger }),
    status: 403,
    error: `ERR_INVITE_ILLEGAL: illegal invite ID: signed by a stranger: ${stranger.publicKey}`,
  },
  {
    what: 'an invite that is over',
    spell: withInvite({ ticket: { expiresAtSeconds: nowSeconds() } }),
    status: 401,
    error: 'ERR_INVITE_EXPIRED: invite ID: ended TIME, this clock says TIME',
  },
  {
    what: 'a denied invite',
    spell: () => spellDenied(),
    status: 403,
    error: 'ERR_INVITE_DENIED: invite ID: denied',
  },
  {
    what: 'an invite for another name',
    spell: withInvite({ ticket: { name: 'bob' } }),
    status: 403,
    error: 'ERR_INVITE_OTHER: invite ID: for another role or name: moderator',
  },
  {
    what: 'an invite whose key did not sign',
    spell: withInvite({ keySigner: other.pair }),
    status: 401,
    error: 'ERR_INVITE_PROOF_WRONG: invite ID: its key did not sign this request',
  },
  {
    what: 'a role that no invite gives',
    spell: withInvite({ claims: { role: 'member' }, ticket: { role: 'member' } }),
    status: 403,
    error: 'ERR_ROLE_DOOR: role member is not given at this door: invite',
  },
]

const faults = [
  ...lobbyFaults.map((fault) => ({ ...fault, door: 'lobby' as const })),
  ...inviteFaults.map((fault) => ({ ...fault, door: 'invite' as const })),
]

for (const transport of ['nats', 'https'] as const)
  for (const { what, door, spell, status, error } of faults)
    test(`over ${transport} the ${door} refuses ${what}`, async (t) => {
      const spelled = spell()
      const { bytes, ticketId } = 'bytes' in spelled ? spelled : { bytes: spelled, ticketId: '' }
      const answer = await ask(transport, door, bytes)
      t.is(answer.status, status)
      t.is(
        answer.error?.replaceAll(/\b20\d\d-\S+Z/g, 'TIME'),
        error.replace('invite ID', `invite ${ticketId}`),
      )
      t.false('sealed' in answer.body)
      t.is(answer.error, `${String(answer.body['code'])}: ${String(answer.body['message'])}`)
    })

function ask(transport: 'nats' | 'https', door: AccessDoor, body: Uint8Array): Promise<Answered> {
  if (transport === 'nats') return askNats(lobby, accessSubject(door, region), body)
  return askHttp(urlOf(door), { ca: network.network.file.ca, body })
}

function urlOf(door: AccessDoor): string {
  const { https } = network.network.file.regions.find(({ name }) => name === region) ?? {}
  return https?.[door as 'lobby' | 'invite'] ?? ''
}

test('over https the lobby refuses what is too large', async (t) => {
  const body = Buffer.alloc(4_097, ' ')
  const answer = await ask('https', 'lobby', body)
  t.is(answer.status, 413)
  t.is(answer.error, 'ERR_REQUEST_OVERSIZE: request: over 4096 bytes')
})

test('over nats what is too large ends the connection, before any function hears of it', async (t) => {
  const nc = await enterLobby(network, region, { reconnect: false })
  nc.publish(accessSubject('lobby', region), Buffer.alloc(4_097, ' '))
  const error = await nc.closed()
  t.regex(String(error), /Maximum Payload/i)
})

for (const transport of ['nats', 'https'] as const)
  test(`over ${transport} a good request is answered, and sealed`, async (t) => {
    const lobbys = await ask(transport, 'lobby', spell(network, { holder }))
    t.is(lobbys.status, 200)
    t.deepEqual(Object.keys(lobbys.body), ['sealed'])
    const invites = await ask(transport, 'invite', spellInvite(network, { holder }).bytes)
    t.is(invites.status, 200)
  })

test.serial(
  'each decision is one line of the audit, of a refusal nothing that was issued',
  async (t) => {
    const marked = makeHolder()
    const { publicKey } = marked.pair
    const spelled = { holder: marked, claims: { role: 'moderator' } }
    await ask('nats', 'lobby', spell(network, spelled))
    const file = auditFile(network.homes, region, 'lobby')
    const lines = await until('the line is written', () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.includes(publicKey)),
    )
    t.is(lines.length, 1)
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
    t.like(line, {
      region,
      door: 'lobby',
      verdict: 'refused',
      rule: 'ERR_ROLE_DOOR',
      role: 'moderator',
      name: 'alice',
      nkey: publicKey,
    })
    t.false('credential' in line)
  },
)
