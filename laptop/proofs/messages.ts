// A message of a member of one region, heard by members of the others.
import type { Network } from '../../core/access/network-file.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { requestFrom } from './credentials.ts'
import { prove, type Proof } from './proof.ts'

export const subject = 'chat.KUBECON.posts.General'
const deadlineMs = 3_000
const warmUps = 3

export async function connectMember(
  network: Network,
  { role, name, region }: { role: string; name: string; region: string },
): Promise<NatsConnection> {
  const { creds } = await requestFrom(network, { role, name, region })
  const servers = network.file.regions.find((each) => each.name === region)?.servers ?? []
  return connectWithCreds(
    { servers, ca: network.file.ca, name: `prover in ${region}` },
    () => creds,
  )
}

/** Latency from publishing in one region to hearing in another, on one clock; the best of a few. */
export function proveMessage(
  members: ReadonlyMap<string, NatsConnection>,
  from: string,
  to: string,
): Promise<Proof> {
  return prove(`a message from ${from} is heard in ${to}`, async () => {
    const sender = members.get(from)
    const hearer = members.get(to)
    if (sender === undefined || hearer === undefined)
      throw new Error('no member is connected there')
    let tookMs = Infinity
    for (let round = 0; round <= warmUps; round += 1)
      tookMs = Math.min(tookMs, await measure(sender, hearer, `${from} to ${to}, ${round}`))
    return { observed: `heard on ${subject}`, isProven: true, tookMs }
  })
}

/** How long a message takes from one to the other; refuses one that is not heard. */
export async function measure(
  sender: NatsConnection,
  hearer: NatsConnection,
  text: string,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let sentAt = 0
  const subscription = hearer.subscribe(subject, {
    callback: (error, msg) => {
      if (error !== null) reject(error)
      else if (msg.string() === text) resolve(performance.now() - sentAt)
    },
  })
  await hearer.flush()
  const send = (): void => {
    sentAt = performance.now()
    sender.publish(subject, text)
  }
  // Interest may still be on its way to the other region.
  const again = setInterval(send, 100)
  const tooLate = setTimeout(
    () => reject(new Error(`not heard within ${deadlineMs} ms`)),
    deadlineMs,
  )
  send()
  return promise.finally(() => {
    clearInterval(again)
    clearTimeout(tooLate)
    subscription.unsubscribe()
  })
}
