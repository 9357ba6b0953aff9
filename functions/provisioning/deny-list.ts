// Deny lists among the functions: whoever missed a push hears of it from the others.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { denyListSubject } from '../../core/network/access-subject.ts'
import { denyListState } from '../../core/trust/deny-list.ts'
import type { Msg, NatsConnection, Subscription } from '../../nats/connect.ts'
import type { FunctionTrust } from '../../store/function-trust.ts'
import type { TrustSource } from './trust-source.ts'

export interface Identity {
  readonly region: string
  readonly door: string
  readonly nkey: string
}

export interface DenyListExchange extends Disposable {
  /** Resolves when the peers were heard: those that answer within 300 ms. */
  heard(): Promise<void>
}

const refreshMs = 30_000

/** Asks the peers now, whenever it is told to, and every 30 s; answers whoever asks. */
export function exchangeDenyLists(
  nc: NatsConnection,
  trust: TrustSource,
  identity: Identity,
): DenyListExchange {
  const ask = (): Promise<void> => askPeers(nc, trust, identity)
  // The first question goes out before it could be heard here: without peers it is answered at once.
  let first: Promise<void> | undefined = ask()
  const served = serveDenyList(nc, trust, identity)
  const timer = setInterval(() => void ask(), refreshMs).unref()
  return {
    async heard() {
      await (first ?? ask())
      first = undefined
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      served.unsubscribe()
    },
  }
}

/**
 * An empty message asks which list is held, a JWT brings one, `newer than 7` asks for the list itself
 * where its sequence is higher. All are answered with the state of what is held then, and with the
 * public keys that this replica signs with: every replica hears the question.
 */
function serveDenyList(nc: NatsConnection, trust: TrustSource, identity: Identity): Subscription {
  return nc.subscribe(denyListSubject, {
    callback: (error, msg) => {
      if (error !== null) return
      const asked = /^newer than (\d{1,15})$/.exec(msg.string())
      const refusal = asked === null && msg.data.length > 0 ? offer(trust, msg) : undefined
      const { denyList: held, signers } = trust.current()
      const isNewer = asked !== null && held.claims.nats.sequence > Number(asked[1])
      const list = isNewer ? held.text : undefined
      const state = { ...denyListState(held), signers: publicKeys(signers) }
      msg.respond(JSON.stringify({ ...identity, replica, ...state, refusal, list }))
    },
  })
}

const replica = `${hostname()}:${process.pid}`

const publicKeys = (signers: FunctionTrust['signers']) =>
  Object.fromEntries([...signers].map(([role, { key }]) => [role, key.publicKey]))

const stallMs = 50
const patienceMs = 300

/**
 * Takes the newest list that a peer holds. Resolves when no more peers answer: at once where there
 * are none, after 300 ms at most.
 */
async function askPeers(nc: NatsConnection, trust: TrustSource, { nkey }: Identity): Promise<void> {
  if (nc.isClosed() || nc.isDraining()) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const latest = setTimeout(resolve, patienceMs)
  let stall: NodeJS.Timeout | undefined
  const inbox = `_INBOX.${nkey}.${randomUUID()}`
  const heard = nc.subscribe(inbox, {
    callback: (error, msg) => {
      if (error !== null || msg.headers?.code === 503) return resolve()
      takeList(trust, msg)
      clearTimeout(stall)
      stall = setTimeout(resolve, stallMs)
    },
  })
  const { sequence } = trust.current().denyList.claims.nats
  nc.publish(denyListSubject, `newer than ${sequence}`, { reply: inbox })
  await promise
  clearTimeout(latest)
  clearTimeout(stall)
  heard.unsubscribe()
}

function takeList(trust: TrustSource, msg: Msg): void {
  try {
    const { list } = JSON.parse(msg.string()) as { list?: unknown }
    if (typeof list === 'string') trust.offerDenyList(list)
  } catch {
    // A peer's older or foreign list is not ours to judge here: we keep what we have.
  }
}

/** Why the list was not taken, if it was not. */
function offer(trust: TrustSource, msg: Msg): string | undefined {
  try {
    trust.offerDenyList(msg.string())
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
