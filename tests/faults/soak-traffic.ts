// Members, workloads and newcomers of a network under whom everything is renewed.
import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { requestCertificate } from '../../core/identity/csr.ts'
import { accessSubject } from '../../core/network/access-subject.ts'
import type { NatsConnection } from '../../nats/connect.ts'
import type { RenewedConnection } from '../../nats/renew.ts'
import { connectWorkload } from '../../requestor/connect-workload.ts'
import type { Credential } from '../../requestor/request-credential.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { readBundles } from '../../store/bundles.ts'
import { openFiles } from '../../store/files.ts'
import { makeNkeyPair } from '../../store/key-file.ts'
import { recordSvid, signSvid } from '../../store/svid.ts'
import { askNats, enterLobby, spell } from '../functions/ask.ts'
import type { TestNetwork } from '../test-network.ts'

const pauseMs = 20
/** Well before the half of a certificate's life, at which its workload takes the next one. */
const certifyMs = 2_000

export interface Member {
  readonly region: string
  readonly connection: NatsConnection
  /** Numbers, by subject. */
  readonly heard: Map<string, number[]>
  readonly losses: string[]
}

/** Stays with one connection, and hears all that is posted. */
export async function join(network: TestNetwork, region: string): Promise<Member> {
  const connection = await network.connect(await network.requestFrom(region), region)
  const member: Member = { region, connection, heard: new Map(), losses: [] }
  connection.subscribe('chat.KUBECON.posts.*', {
    callback: (_, { subject, data }) => {
      const numbers = member.heard.get(subject) ?? []
      if (numbers.length === 0) member.heard.set(subject, numbers)
      numbers.push(Number(new TextDecoder().decode(data)))
    },
  })
  void (async () => {
    for await (const { type } of connection.status())
      if (type === 'disconnect' || type === 'error') member.losses.push(type)
  })()
  await connection.flush()
  return member
}

/** Its certificate ends within seconds, as all others do. */
async function makeWorkload(network: TestNetwork, region: string) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { archipelago, homes } = network
  const files = openFiles()
  const store = { files, homes, archipelago, nowMs: Date.now() }
  const place = { region, kind: 'identity', placement: 'laptop' } as const
  const request = requestCertificate(privateKey)
  const signed = await signSvid(store, place, { workload: 'announcer', request })
  recordSvid(store, region, signed)
  const own = { certificate: signed.chain, key: formatPrivateKey(privateKey) }
  return { ...own, bundles: readBundles(files, homes) }
}

export interface Announcer {
  readonly region: string
  readonly connection: RenewedConnection<Credential>
  readonly failures: string[]
  /** The next certificate, and whatever is signed by it from then on. */
  renew(): Promise<void>
}

export async function announce(
  network: TestNetwork,
  region: string,
  signal: AbortSignal,
): Promise<Announcer> {
  const failures: string[] = []
  const workload = await makeWorkload(network, region)
  const connection = await connectWorkload({
    ...{ network: network.network, role: 'announcer', region, workload, name: 'announcer' },
    pair: makeNkeyPair('user'),
    onStatus: (status) => {
      if ('reason' in status) failures.push(`${status.type}: ${status.reason.message}`)
      if (status.type === 'disconnected') failures.push(status.type)
    },
  })
  const certify = async (): Promise<void> => {
    Object.assign(workload, await makeWorkload(network, region))
  }
  void (async () => {
    while (await delay(certifyMs, true, { signal }).catch(() => false)) await certify()
  })()
  const renew = async (): Promise<void> => {
    await certify()
    await connection.renewNow()
  }
  return { region, connection, failures, renew }
}

/** Numbered posts, until it is stopped; hands back how many there were. */
export async function post(
  subject: string,
  publish: (subject: string, payload: string) => void,
  signal: AbortSignal,
): Promise<readonly [subject: string, count: number]> {
  let count = 0
  while (!signal.aborted) {
    publish(subject, String(count))
    count += 1
    await delay(pauseMs)
  }
  return [subject, count]
}

/** Requests to the functions of a region, one after the other; hands back who did not answer. */
export async function askAgainAndAgain(network: TestNetwork, region: string, signal: AbortSignal) {
  const lobby = await enterLobby(network, region)
  const failures: string[] = []
  let answered = 0
  while (!signal.aborted) {
    const asked = askNats(lobby, accessSubject('lobby', region), spell(network))
    const error = await asked.then(({ error: refusal }) => refusal, String)
    if (error === undefined) answered += 1
    else failures.push(error)
    await delay(pauseMs)
  }
  await lobby.close()
  return { answered, failures }
}
