import { request } from 'node:https'
import { Refusal } from '../core/errors.ts'

const answerBytesMax = 256 * 1024

/** Posts one request to a function's HTTPS door; resolves with the body of whatever it answered. */
export function postAccess(
  url: string,
  { body, ca, deadlineMs }: { body: Uint8Array; ca: string; deadlineMs: number },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const fail = (cause: Error): void =>
    reject(new Refusal('ERR_CONNECT', `cannot ask ${url}: ${cause.message}`, { cause }))
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const signal = AbortSignal.timeout(deadlineMs)
  const asked = request(url, { method: 'POST', ca, headers, signal, agent: false }, (response) => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > answerBytesMax) response.destroy(new Error('answer is too large'))
      else chunks.push(chunk)
    })
    response.on('end', () => resolve(Buffer.concat(chunks)))
    response.on('error', fail)
  })
  asked.on('error', fail)
  asked.end(body)
  return promise
}
