// Asks for a credential over NATS: in the own region first, then in the others by name, for a function
// that hangs keeps its place in the queue group and would be asked again and again.
import { createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core'
import { Refusal } from '../core/errors.ts'

/** Between a try and the next one in another region. */
const hedgeMs = 400

export interface AskAccess<Answer> {
  /** The own region's subject first. */
  readonly subjects: readonly string[]
  readonly bytes: Uint8Array
  /** Under which this connection may hear answers. */
  readonly inboxPrefix: string
  readonly deadlineMs: number
  /** `done` ends the asking, `next` asks the next region at once, `wait` goes on listening. */
  readonly read: (
    bytes: Uint8Array,
  ) => { verdict: 'done'; answer: Answer } | { verdict: 'next' | 'wait' }
}

/** The first answer that `read` takes, or what it throws. Refuses when none came by the deadline. */
export function askAccess<Answer>(nc: NatsConnection, ask: AskAccess<Answer>): Promise<Answer> {
  const { subjects, bytes, inboxPrefix, deadlineMs, read } = ask
  const inbox = createInbox(inboxPrefix)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  let asked = 0
  let timer: NodeJS.Timeout | undefined
  const askNext = (): void => {
    clearTimeout(timer)
    // Round and round until the deadline: a function may be coming back.
    const subject = subjects[asked++ % subjects.length] as string
    try {
      nc.publish(subject, bytes, { reply: inbox })
    } catch (error) {
      // The connection was closed meanwhile.
      return reject(error)
    }
    timer = setTimeout(askNext, hedgeMs)
  }
  const hear = (msg: Msg): void => {
    const isNobodyThere = msg.headers?.code === 503
    const heard = isNobodyThere ? ({ verdict: 'next' } as const) : read(msg.data)
    if (heard.verdict === 'done') resolve(heard.answer)
    else if (heard.verdict === 'next' && asked < subjects.length) askNext()
  }
  const subscription = nc.subscribe(inbox, {
    callback: (error, msg) => {
      if (error !== null) return reject(error)
      try {
        hear(msg)
      } catch (refusal) {
        reject(refusal)
      }
    },
  })
  const tooLate = setTimeout(() => {
    const text = `no answer within ${deadlineMs} ms on ${subjects.join(', ')}`
    reject(new Refusal('ERR_NO_ANSWER', text))
  }, deadlineMs)
  askNext()
  return promise.finally(() => {
    clearTimeout(timer)
    clearTimeout(tooLate)
    subscription.unsubscribe()
  })
}
