// Mallory has a workload's token: from a log, from a proxy, from a service it was shown to. Or she has
// the sealed request, as every server on its way has it. Each attack is shown to work where its
// protection is taken out.
import test from 'ava'
import { readAnswer } from '../../core/access/ask.ts'
import { makeExchange, type AskingExchange } from '../../core/access/ask-exchange.ts'
import { generateCurveKeyPair } from '../../core/access/curve-key.ts'
import { openExchange, sealExchange } from '../../core/access/sealed-exchange.ts'
import { exchangeSubject } from '../../core/network/access-subject.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { parseTokenKey, signTokenKey } from '../../core/trust/token-key.ts'
import { parseUser } from '../../core/trust/user.ts'
import { exchangeToken } from '../../functions/exchange-token.ts'
import type { Provisioning } from '../../functions/provision-credentials.ts'
import type { Handle } from '../../functions/provisioning/work.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import { openFiles } from '../../store/files.ts'
import { functionHome } from '../../store/homes.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { tokenKeyFile } from '../../store/key-paths.ts'
import { requireTokenKey } from '../../store/token-key.ts'
import { ams3Cluster, builds, sfo2Cluster } from '../core/access/token-example.ts'
import { serviceAccountClaims } from '../core/access/token-issuer.ts'
import {
  askNats,
  enterLobby,
  makeHolder,
  nowSeconds,
  signerOf,
  type Answered,
} from '../functions/ask.ts'
import { askingOrders, audienceOf, orderClaims, regionOf, sealTo } from '../functions/exchange.ts'
import { takeOver } from '../functions/in-process.ts'
import { exchangePatiently, startTokenNetwork } from '../functions/token-network.ts'
import type { TestNetwork } from '../test-network.ts'
import { until } from '../until.ts'

const region = 'ams3'

let network: TestNetwork
let lobby: NatsConnection
test.before(async () => {
  network = await startTokenNetwork()
  lobby = await enterLobby(network, region)
})
test.after.always(async () => {
  await lobby?.close()
  await network?.[Symbol.asyncDispose]()
})

const victim = makeHolder()
const thief = makeHolder()

function send(asking: AskingExchange, to = region): Promise<Answered> {
  const { form } = makeExchange(asking)
  return askNats(lobby, exchangeSubject(to), sealTo(network, to, form))
}

/** Until the servers have heard that somebody took the function's place. */
const askSoon = (subject: string, bytes: Uint8Array): Promise<Answered> =>
  until(`${subject} answers`, () =>
    askNats(lobby, subject, bytes).catch((error: unknown) => {
      if (String(error).includes('no responders')) return undefined
      throw error
    }),
  )

const sendSoon = (asking: AskingExchange): Promise<Answered> =>
  askSoon(exchangeSubject(region), sealTo(network, region, makeExchange(asking).form))

const isIssued = ({ status, body }: Answered) =>
  status === 200 && typeof body['sealed'] === 'string'

/** The function of ams3 with something else in the place of a protection. */
const without = (change: (provisioning: Provisioning) => Provisioning, of = region) =>
  takeOver(
    network,
    { region: of, door: 'identity' },
    {
      handle: (provisioning): Handle => {
        const changed = change(provisioning)
        // What it asks itself is answered as ever, or it would not serve.
        return (request) =>
          exchangeToken(request, request.caller.trigger === 'self' ? provisioning : changed)
      },
    },
  )

test.serial('uses a token with a key of her own', async (t) => {
  const { token } = askingOrders(network, victim)
  const answer = await send(askingOrders(network, thief, { token }))
  const { publicKey } = victim.pair
  t.is(answer.error, `ERR_TOKEN_BINDING: token refused: it is for the nkey ${publicKey}`)
})

test.serial(
  'uses a token for a fixed audience with a key of her own, as SECURITY.md says',
  async (t) => {
    const account = { name: 'projected', audience: 'archipelago', nowSeconds: nowSeconds() }
    const token = ams3Cluster.sign(serviceAccountClaims(account))
    t.true(isIssued(await send(askingOrders(network, thief, { role: 'projected', token }))))
  },
)

test.serial("puts her token under the victim's proof, or the victim's under hers", async (t) => {
  const own = makeExchange(askingOrders(network, thief))
  const others = makeExchange(askingOrders(network, victim))
  for (const [proof, token] of [
    [own, others],
    [others, own],
  ] as const) {
    const form = new URLSearchParams(proof.form)
    form.set('subject_token', new URLSearchParams(token.form).get('subject_token') ?? '')
    const bytes = sealTo(network, region, form.toString())
    const { error } = await askNats(lobby, exchangeSubject(region), bytes)
    t.is(error, 'ERR_TOKEN_BINDING: proof is for another token than the one that came')
  }
})

test.serial('reads a request on its way', (t) => {
  const { token, ...asking } = askingOrders(network, victim)
  const { form } = makeExchange({ ...asking, token })
  const bytes = Buffer.from(sealTo(network, region, form))
  const seen = (text: string): boolean =>
    bytes.includes(text) || bytes.includes(Buffer.from(text).toString('base64url').slice(4, -4))
  for (const part of [...token.split('.'), victim.pair.publicKey]) t.false(seen(part))
  t.true(Buffer.from(form).includes(token), 'unsealed she reads it')
})

test.serial(
  'sends a request again: what comes is for the same key and ends no later',
  async (t) => {
    const claims = orderClaims(victim, { exp: nowSeconds() + 3600 })
    const asking = askingOrders(network, victim, { token: ams3Cluster.sign(claims) })
    const ask = makeExchange(asking)
    const bytes = sealTo(network, region, ask.form)
    const ends: (number | undefined)[] = []
    for (let round = 0; round < 2; round += 1) {
      const answer = await askNats(lobby, exchangeSubject(region), bytes)
      const body = Buffer.from(JSON.stringify(answer.body))
      const read = readAnswer(body, ask, asking)
      t.is(read.kind, 'granted')
      if (read.kind === 'granted') ends.push(parseUser(read.jwt).claims.exp)
      t.is(readAnswer(body, ask, { ...asking, curve: thief.curve }).kind, 'ignored')
    }
    t.deepEqual(ends, Array(2).fill(Math.floor(asking.nowMs / 1000) + 900))
  },
)

test.serial('sends a request again when it is a minute old', async (t) => {
  const { error } = await send(askingOrders(network, victim, { nowMs: Date.now() - 61_000 }))
  t.regex(
    error ?? '',
    /^ERR_PROOF_STALE: proof says 20\S+Z, this clock says 20\S+Z: 60 s apart at most$/,
  )
})

test.serial('hands a request to the function of another region', async (t) => {
  const bytes = sealTo(network, region, makeExchange(askingOrders(network, victim)).form)
  const { error } = await askNats(lobby, exchangeSubject('sfo2'), bytes)
  t.regex(error ?? '', /^ERR_SEALED_ILLEGAL: sealed message does not open with the key /)
})

test.serial('hands out a network file with a key of her own to seal to', async (t) => {
  const own = generateCurveKeyPair()
  const forger = makeNkeyPair('operator')
  const seconds = nowSeconds()
  const forged = (signer: typeof forger, of: string) =>
    signTokenKey(signer, {
      ...{ operator: network.network.operator.claims.sub as Nkey<'operator'>, region: of },
      ...{ curve: own.publicKey, nowSeconds: seconds, expiresAtSeconds: seconds + 60 },
    }).text
  const asked = (tokenKey: string) => {
    const { file } = network.network
    const regions = file.regions.map((each) => ({ ...each, tokenKey }))
    const given = { ...network.network, file: { ...file, regions } }
    const { token } = askingOrders(network, victim)
    return exchangePatiently({ network: given, role: 'orders', token, pair: victim.pair, region })
  }
  const { tokenKey = '' } = regionOf(network, 'sfo2')
  for (const [key, message] of [
    [
      forged(forger, region),
      `key for sealed tokens: signed by a foreign operator: ${forger.publicKey}`,
    ],
    [tokenKey, 'key for sealed tokens: of region sfo2, not ams3'],
  ] as const)
    await t.throwsAsync(asked(key), { code: 'ERR_TOKEN_KEY_ILLEGAL', message })
  // With the operator's signature she would read it.
  const { operator } = network.network
  const options = { operator, region, nowSeconds: seconds }
  t.is(parseTokenKey(forged(signerOf(network), region), options), own.publicKey)
})

test.serial('reads what was sealed to a key of hers', (t) => {
  const asking = askingOrders(network, victim)
  const own = generateCurveKeyPair()
  const { form } = makeExchange(asking)
  const opened = openExchange(sealExchange(form, { region, key: own.publicKey }), {
    region,
    key: own,
  })
  t.true(Buffer.from(opened).includes(asking.token))
})

test.serial('signs, as the issuer of one region, for the workloads of another', async (t) => {
  const asOrders = (token: string, to?: string) => send(askingOrders(network, thief, { token }), to)
  const refusedBy = async (token: string, to?: string) => (await asOrders(token, to)).error ?? ''
  const ofSfo2 = sfo2Cluster.sign(orderClaims(thief))
  t.regex(
    await refusedBy(ofSfo2),
    /^ERR_TOKEN_KEY_ID: .* issuer ams3-cluster has no key 'sfo2-key'/,
  )
  t.regex(await refusedBy(ofSfo2, 'sgp1'), /^ERR_TOKEN_ISSUER: /)
  const ofBuilds = builds.sign(orderClaims(thief, { iss: 'https://builds.example' }))
  t.regex(
    await refusedBy(ofBuilds),
    /^ERR_TOKEN_SUBJECT: .*'builds\|system:serviceaccount:shop:orders'/,
  )
})

// From here on the functions are not those of the network.

const tokenKeyOf = (of: string) =>
  requireTokenKey(openFiles(), tokenKeyFile(functionHome(network.homes, of, 'identity')))

test.serial('succeeds where the role takes any token for that audience', async (t) => {
  const { token } = askingOrders(network, victim)
  const audience = audienceOf(victim)
  await using _open = await without((provisioning) => ({
    ...provisioning,
    trust: () => {
      const trust = provisioning.trust()
      const { archipelago } = trust
      const roles = archipelago.roles.map((role) => ({
        ...role,
        identity: role.identity.map((entry) => ({ ...entry, audience })),
      }))
      // Under another name it does not know the audience for what it is.
      return { ...trust, archipelago: { ...archipelago, network: 'atoll', roles } }
    },
  }))
  t.true(isIssued(await sendSoon(askingOrders(network, thief, { token }))))
})

test.serial('succeeds where an issuer is believed in a region that is not its own', async (t) => {
  await using _open = await without((provisioning) => ({
    ...provisioning,
    trust: () => {
      const trust = provisioning.trust()
      const { archipelago } = trust
      const issuers = archipelago.issuers.map((issuer) => ({
        ...issuer,
        regions: issuer.name === 'sfo2-cluster' ? [region] : [],
      }))
      return { ...trust, archipelago: { ...archipelago, issuers } }
    },
  }))
  const token = sfo2Cluster.sign(orderClaims(thief))
  t.true(isIssued(await sendSoon(askingOrders(network, thief, { token }))))
})

test.serial(
  'succeeds where that one has the same key, and takes itself for the other',
  async (t) => {
    const bytes = sealTo(network, region, makeExchange(askingOrders(network, victim)).form)
    const tokenKey = tokenKeyOf(region)
    const withKey = (provisioning: Provisioning): Provisioning => ({
      ...provisioning,
      trust: () => ({ ...provisioning.trust(), tokenKey }),
    })
    {
      await using _key = await without(withKey, 'sfo2')
      const { error } = await askSoon(exchangeSubject('sfo2'), bytes)
      t.regex(error ?? '', /^ERR_SEALED_ILLEGAL: /, 'the key alone is not enough')
    }
    const both = (provisioning: Provisioning) => ({ ...withKey(provisioning), region })
    await using _both = await without(both, 'sfo2')
    t.true(isIssued(await askSoon(exchangeSubject('sfo2'), bytes)))
  },
)
