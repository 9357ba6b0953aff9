// Subscriptions that outlive the connections on which they are heard.
import type { Msg, NatsConnection, Payload, PublishOptions, Subscription } from '@nats-io/nats-core'
import type { Line } from './line.ts'

export interface HearingOptions {
  readonly queue?: string
  /** An error ends the subscription: the servers do not allow it. */
  readonly callback: (error: Error | null, msg: Msg) => void
}
export interface Hearing extends HearingOptions {
  /** Its own among the hearings of a program. */
  readonly id: number
  readonly subject: string
  readonly on: Map<NatsConnection, Heard>
}
interface Heard {
  readonly subscription: Subscription
  /** On the monotonic clock. */
  readonly sinceMs: number
}
export type Receive = (hearing: Hearing, msg: Msg) => void

export interface Hearings {
  add(subject: string, options: HearingOptions): Hearing
  remove(hearing: Hearing): void
  /** Everything is heard on this line too, and so is what is added later. */
  join(line: Line): void
  /** What is added later is not heard on this line. */
  close(line: Line): void
  /** Nothing new is heard on this line; resolves when all that was on its way has been received. */
  leave(line: Line, kind?: 'queue' | 'plain'): Promise<void>
  readonly hasQueue: boolean
  /** When something was last added; on the monotonic clock. */
  readonly addedMs: number
}

/** `publish` sends over whatever connection is the current one. */
export function makeHearings(
  nowMs: () => number,
  publish: (subject: string, payload?: Payload, options?: PublishOptions) => void,
): Hearings {
  const hearings = new Set<Hearing>()
  const lines = new Set<Line>()
  let lastId = 0
  let addedMs = -Infinity
  const remove = (hearing: Hearing): void => {
    hearings.delete(hearing)
    for (const { subscription } of hearing.on.values()) subscription.unsubscribe()
    hearing.on.clear()
  }
  const listen = (hearing: Hearing, line: Line): void => {
    const { nc } = line
    const { subject, queue } = hearing
    const callback = (error: Error | null, msg: Msg): void => {
      if (error === null) return line.receive(hearing, answerable(msg, { line, publish }))
      remove(hearing)
      hearing.callback(error, msg)
    }
    const subscription = nc.subscribe(subject, { ...(queue !== undefined && { queue }), callback })
    hearing.on.set(nc, { subscription, sinceMs: nowMs() })
  }
  return {
    add(subject, options) {
      const hearing = { ...options, id: ++lastId, subject, on: new Map<NatsConnection, Heard>() }
      hearings.add(hearing)
      addedMs = nowMs()
      for (const line of lines) listen(hearing, line)
      return hearing
    },
    remove,
    join(line) {
      lines.add(line)
      for (const hearing of hearings) listen(hearing, line)
    },
    close(line) {
      lines.delete(line)
    },
    async leave({ nc }, kind) {
      const left = [...hearings].filter((hearing) => kind === undefined || kindOf(hearing) === kind)
      const heard = left.flatMap(({ on }) => on.get(nc) ?? [])
      await Promise.allSettled(heard.map(({ subscription }) => subscription.drain()))
      for (const { on } of left) on.delete(nc)
    },
    get hasQueue() {
      return [...hearings].some((hearing) => kindOf(hearing) === 'queue')
    },
    get addedMs() {
      return addedMs
    },
  }
}

function kindOf({ queue }: Hearing): 'queue' | 'plain' {
  return queue === undefined ? 'plain' : 'queue'
}

/** Who answers after the connection is gone on which he was asked, answers over the current one. */
function answerable(
  msg: Msg,
  { line, publish }: { line: Line; publish: Parameters<typeof makeHearings>[1] },
): Msg {
  const respond = msg.respond.bind(msg)
  msg.respond = (payload, options) => {
    if (!line.isClosing || !msg.reply) return respond(payload, options)
    publish(msg.reply, payload, options)
    return true
  }
  return msg
}
