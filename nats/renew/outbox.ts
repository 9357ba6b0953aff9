import type { Payload, PublishOptions } from '@nats-io/nats-core'
import type { Line } from './line.ts'

export type Publish = (subject: string, payload?: Payload, options?: PublishOptions) => void

export interface Outbox {
  /** The line over which is sent. */
  readonly line: Line | undefined
  readonly publish: Publish
  /** Asks in its turn among the messages. */
  ask<T>(act: (line: Line) => Promise<T>): Promise<T>
  /** What is sent waits, in its order, until there is a line for it. */
  hold(): void
  release(line: Line): void
}

/** One order of sending over changing lines; holds until there is a first one. */
export function makeOutbox(): Outbox {
  let line: Line | undefined
  let waiting: ((line: Line) => void)[] | undefined = []
  const act = (send: (line: Line) => void): void => {
    if (waiting !== undefined) waiting.push(send)
    else if (line !== undefined) send(line)
  }
  return {
    get line() {
      return line
    },
    publish: (subject, payload, options) => act(({ nc }) => nc.publish(subject, payload, options)),
    ask: (request) =>
      new Promise((resolve, reject) =>
        act((line) => void Promise.try(request, line).then(resolve, reject)),
      ),
    hold() {
      waiting ??= []
    },
    release(next) {
      line = next
      const sends = waiting ?? []
      waiting = undefined
      for (const send of sends) sendOrLose(send, next)
    },
  }
}

/** What waited is lost where a connection breaks, as what was sent just before is. */
function sendOrLose(send: (line: Line) => void, line: Line): void {
  try {
    send(line)
  } catch {
    return
  }
}
