// What anybody could do in a region: get a credential from its own function, and with it send himself a
// message from one server to another.
import { randomBytes } from 'node:crypto'
import { makeAsk, readAnswer } from '../../core/access/ask.ts'
import { generateCurveKeyPair } from '../../core/access/curve-key.ts'
import type { Network } from '../../core/access/network-file.ts'
import type { Archipelago, Role } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { accessSubject } from '../../core/network/access-subject.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { parseUser } from '../../core/trust/user.ts'
import { askAccess } from '../../nats/ask-access.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { makeNkeyPair } from '../../store/key-file.ts'

export interface Inside {
  readonly archipelago: Archipelago
  readonly region: string
  readonly network: Network
  /** URLs of the region's servers, one each. */
  readonly servers: readonly string[]
  /** By which they show themselves to clients. */
  readonly serverName: string
}

/** Refuses with what did not work; nothing where no role has the door lobby. */
export async function proveInside(inside: Inside): Promise<string[]> {
  const { archipelago } = inside
  const role = archipelago.roles.find(({ doors }) => doors.includes('lobby'))
  if (role === undefined) return []
  const creds = await getCredential(inside, role)
  const heard = role.publish.find((subject) => isPlain(subject) && role.subscribe.includes(subject))
  if (heard === undefined) return [`a credential of ${role.name}`]
  await sendToOneself(inside, creds, heard)
  return [`a credential of ${role.name}`, `a message from server to server on ${heard}`]
}

const isPlain = (subject: string) => !/[*>{]/.test(subject)

async function getCredential(inside: Inside, role: Role): Promise<Creds> {
  const { region, network } = inside
  const nc = await dial(inside, inside.servers, () => network.lobby)
  try {
    const pair = makeNkeyPair('user')
    const asking = {
      operator: network.operator,
      door: 'lobby',
      role: role.name,
      name: `prove-${randomBytes(4).toString('hex')}`,
      pair,
      curve: generateCurveKeyPair(),
      nonce: randomBytes(18).toString('base64url'),
      nowMs: Date.now(),
    } as const
    const ask = makeAsk(asking)
    const jwt = await askAccess<string>(nc, {
      subjects: [accessSubject('lobby', region)],
      bytes: ask.bytes,
      inboxPrefix: '_INBOX',
      deadlineMs: answerMsMax,
      read: (bytes) => {
        const read = readAnswer(bytes, ask, asking)
        if (read.kind === 'granted') return { verdict: 'done', answer: read.jwt }
        if (read.kind === 'refused') throw read.refusal
        return { verdict: 'wait' }
      },
    })
    return { user: parseUser(jwt), pair }
  } finally {
    await nc.close()
  }
}

async function sendToOneself(inside: Inside, creds: Creds, subject: string): Promise<void> {
  const [first = '', ...others] = inside.servers
  await using listener = await dial(inside, [first], () => creds)
  await using sender = await dial(inside, others.slice(-1).concat(first).slice(0, 1), () => creds)
  const word = randomBytes(16).toString('hex')
  const subscription = listener.subscribe(subject)
  await listener.flush()
  const heard = (async () => {
    for await (const message of subscription) if (message.string() === word) return true
    return false
  })()
  const deadline = AbortSignal.timeout(answerMsMax)
  while (!deadline.aborted) {
    sender.publish(subject, word)
    // Interest may not have come to the other server yet.
    if (await Promise.race([heard, pause()])) return
  }
  throw new Refusal('ERR_NO_ANSWER', `a message on ${subject} from server to server was not heard`)
}

const answerMsMax = 5_000
const pause = () => new Promise<false>((resolve) => void setTimeout(resolve, 250, false))

function dial(
  { network, serverName }: Inside,
  servers: readonly string[],
  current: () => Creds,
): Promise<NatsConnection> {
  const options = { reconnect: false }
  const target = { servers, serverName, ca: network.file.ca, name: 'prove-region', options }
  return connectWithCreds(target, current)
}
