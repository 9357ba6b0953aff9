import { request } from 'node:https'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { Refusal } from '../core/errors.ts'
import { watchHandshake, type Explain } from '../nats/wrong-clock.ts'

const answerBytesMax = 256 * 1024

export interface Posted {
  readonly body: Uint8Array | string
  readonly type: 'application/json' | 'application/x-www-form-urlencoded'
  /** Whom it believes, and what it shows. */
  readonly tls: ConnectionOptions
  readonly deadlineMs: number
}

/** Posts one request to a function's HTTPS door; resolves with the body of whatever it answered. */
export function post(url: string, { body, type, tls, deadlineMs }: Posted): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  let explain: Explain = (error) => error
  const fail = (cause: Error): void =>
    reject(new Refusal('ERR_CONNECT', `cannot ask ${url}: ${explain(cause).message}`, { cause }))
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
  const signal = AbortSignal.timeout(deadlineMs)
  const asked = request(
    url,
    { ...tls, method: 'POST', headers, signal, agent: false },
    (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > answerBytesMax) response.destroy(new Error('answer is too large'))
        else chunks.push(chunk)
      })
      response.on('end', () => resolve(Buffer.concat(chunks)))
      response.on('error', fail)
    },
  )
  asked.once('socket', (secure) => (explain = watchHandshake(secure as TLSSocket, tls.cert)))
  asked.on('error', fail)
  asked.end(body)
  return promise
}
