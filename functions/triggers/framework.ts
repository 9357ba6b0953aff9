// The function for platforms that run functions (`functions-framework --source=framework.ts
// --target=provision-credentials`, at the door identity `--target=exchange-token`), and started by itself
// the same on a loopback address. The trust comes from files alone, for nobody can push a deny list to it.
//
// Left to itself functions-framework 5.0.5 reads up to 1 GB, answers malformed JSON, /favicon.ico,
// /robots.txt and /% before any function runs, and tells the client err.message unless NODE_ENV is
// production. What remains: it speaks plain HTTP behind the platform's own TLS, and when the platform
// starts it, it listens on every address and bounds no connection.
import diagnostics from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from '@google-cloud/functions-framework'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { Refusal } from '../../core/errors.ts'
import { openAudit } from '../provisioning/audit.ts'
import { parseFunctionPlace, type FunctionPlace } from '../provisioning/environment.ts'
import { handlerOf } from '../provisioning/handler.ts'
import type { Provisioning } from '../provision-credentials.ts'
import { openTrustSource } from '../provisioning/trust-source.ts'
import { startWork } from '../provisioning/work.ts'
import { answerHttp, type HttpDoor } from './http.ts'

process.env['NODE_ENV'] = 'production'
const place = parseFunctionPlace(process.env)
const target = place.door === 'identity' ? 'exchange-token' : 'provision-credentials'

/** The path of each request, which the framework is not shown. */
const paths = new WeakMap<IncomingMessage, string | undefined>()
hideRequests()
const door = openDoor(place, await handlerOf(place.door))
http(target, (request, response) => {
  request.url = paths.get(request) ?? request.url
  return answerHttp(request, response, door)
})
if (import.meta.main) serveLoopback()

/**
 * The framework sees every request as one for `/` without a body: its routes have nothing to answer
 * themselves, and its parsers nothing to read. Path and body are ours, and so is their bound.
 */
function hideRequests(): void {
  diagnostics.subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage }
    paths.set(request, request.url)
    request.url = '/'
    delete request.headers['content-length']
    delete request.headers['transfer-encoding']
  })
}

function openDoor(place: FunctionPlace, handle: Awaited<ReturnType<typeof handlerOf>>): HttpDoor {
  const { region, door, folders } = place
  if (door === 'legacy')
    throw new Refusal('ERR_ENVIRONMENT', 'ARCHIPELAGO_DOOR: legacy is asked over NATS only')
  const report = (line: string): void => console.error(`${target}: ${line}`)
  const trust = openTrustSource(folders, { door, report })
  const provisioning: Provisioning = {
    region,
    door,
    trust: () => trust.current(),
    nowMs: Date.now,
    audit: openAudit(place, (line) => console.log(line)),
  }
  const { audit } = provisioning
  const work = startWork(handle(provisioning), { door, audit })
  return { door, work, audit, trigger: 'framework', problem: () => undefined }
}

function serveLoopback(): void {
  const server = getTestServer(target)
  server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    console.error(`${target}: http://127.0.0.1:${port}/`)
  })
}
