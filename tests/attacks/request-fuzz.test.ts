// 10,000 malformed requests, as many as a connection can have under way, while good ones go on being
// answered; none of them is granted, and none breaks the function.
import test from 'ava'
import fc from 'fast-check'
import { encodeProof } from '../../core/access/proof.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import {
  askNats,
  claimsOf,
  enterLobby,
  makeHolder,
  spell,
  spellInvite,
  type Answered,
} from '../functions/ask.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

let network: TestNetwork
let lobby: NatsConnection
test.before(async () => {
  network = await startTestNetwork()
  lobby = await enterLobby(network, 'ams3')
})
test.after.always(async () => {
  await lobby?.close()
  await network?.[Symbol.asyncDispose]()
})

const requests = 10_000
/** Printed, so that a run can be had again. */
const seed = Date.now() % 2 ** 31
/** Below what one source may have waiting, so that each is judged by its content. */
const inFlight = 50
const holder = makeHolder()

const bytesMax = 3_000
const utf8 = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const encoded = (value: unknown): string => utf8(value).toString('base64url')

/** Any JSON, and what a request is made of put where it does not belong. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>('__proto__', 1e308, -0, '\u0000', '*', 'A'.repeat(200), [], {}, null),
)
const field = fc.constantFrom('proof', 'signature', 'ticket', 'ticketSignature', 'jwt', '__proto__')
const claim = fc.constantFrom(
  ...['audience', 'door', 'nkey', 'curve', 'role', 'name', 'time', 'nonce', '__proto__'],
)

/** A claim that cannot be good: almost any short text would be a name. */
const badClaim = fc
  .tuple(claim, anything)
  .map(([name, value]) => ({ [name]: typeof value === 'string' ? `${value}\u0000` : value }))

/** A good request, one place of which is spoiled. */
const spoiled = fc.oneof(
  // The prototype would not be spelled there.
  badClaim
    .filter((claims) => !Object.hasOwn(claims, '__proto__'))
    .map((claims) => spell(network, { holder, claims })),
  badClaim.map((claims) => {
    const proof = encoded({ ...claimsOf(network, holder), ...claims })
    return spell(network, { holder, fields: { proof } })
  }),
  fc
    .tuple(field, anything)
    .map(([name, value]) => spell(network, { holder, fields: { [name]: value } })),
  fc.tuple(field, fc.string({ unit: 'binary' })).map(([name, value]) => {
    return spell(network, { holder, fields: { [name]: value } })
  }),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => flip(spell(network, { holder }), at, byte)),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => flip(spellInvite(network).bytes, at, byte)),
  fc.nat().map((at) => spell(network, { holder }).subarray(0, at % 400)),
)
const malformed = fc
  .oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.dictionary(field, anything).map(utf8) },
    { weight: 6, arbitrary: spoiled },
  )
  .filter((bytes) => bytes.length <= bytesMax)

function flip(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = Buffer.from(bytes)
  const index = at % changed.length
  // Never the same byte again, and never white space: that would be another good request.
  changed[index] = (changed[index] ?? 0) ^ (byte | 0x80)
  return changed
}

async function sendAll(door: 'access' | 'invite', numRuns: number): Promise<Answered[]> {
  const answers: Answered[] = []
  const all = fc.sample(malformed, { numRuns, seed })
  const send = async (): Promise<void> => {
    for (let bytes = all.pop(); bytes !== undefined; bytes = all.pop())
      answers.push(await askNats(lobby, `chat.req.${door}.ams3`, bytes))
  }
  await Promise.all(Array.from({ length: inFlight }, send))
  return answers
}

test('10,000 malformed requests are refused, each with a code, while good ones are answered', async (t) => {
  let isOver = false
  const good = async (): Promise<number[]> => {
    const nc = await enterLobby(network, 'ams3')
    const times: number[] = []
    while (!isOver) {
      const started = performance.now()
      const { status } = await askNats(nc, 'chat.req.access.ams3', spell(network))
      t.is(status, 200)
      times.push(performance.now() - started)
    }
    await nc.close()
    return times.toSorted((a, b) => a - b)
  }
  const asking = good()
  const answers = [
    ...(await sendAll('access', requests * 0.7)),
    ...(await sendAll('invite', requests * 0.3)),
  ]
  isOver = true
  const times = await asking
  t.log(`seed ${seed}`)
  t.is(answers.length, requests)
  t.is(answers.filter(({ status }) => status === 200).length, 0)
  const codes = new Set(answers.map(({ error }) => error?.split(':')[0]))
  t.false(codes.has('ERR_INTERNAL'))
  t.true(codes.size > 8, [...codes].join(', '))
  const p95 = times[Math.floor(times.length * 0.95)] ?? Infinity
  t.log(`${times.length} good ones meanwhile, p95 ${p95.toFixed(1)} ms; ${[...codes].join(', ')}`)
  t.true(times.length > 20)
})

test('what is spoiled is built from what is good', async (t) => {
  const claims = claimsOf(network, holder)
  t.is((await askNats(lobby, 'chat.req.access.ams3', spell(network, { holder }))).status, 200)
  t.is(encoded(claims), encodeProof(claims))
  t.is((await askNats(lobby, 'chat.req.invite.ams3', spellInvite(network).bytes)).status, 200)
})
