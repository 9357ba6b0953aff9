// The listener that Prometheus reads. Plain HTTP, inside of the cluster: it shows figures and names, takes
// nothing in, and a NetworkPolicy says who comes.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ExporterOptions {
  readonly host: string
  readonly port: number
  /** The text for a scrape; asked once at a time, whoever waits for it. */
  readonly read: () => Promise<string>
}

export interface Exporter extends AsyncDisposable {
  readonly port: number
}

const connectionsMax = 32
const requestMsMax = 10_000
const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

export async function startExporter({ host, port, read }: ExporterOptions): Promise<Exporter> {
  const readOnce = shared(read)
  const server = createServer((request, response) => {
    answer(request, response, readOnce).catch(() => {
      // What went wrong is in the log, and nobody's here.
      if (!response.headersSent) response.writeHead(500).end()
    })
  })
  server.maxConnections = connectionsMax
  server.requestTimeout = requestMsMax
  server.headersTimeout = requestMsMax
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  read: () => Promise<string>,
): Promise<void> {
  if (method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end()
  if (url === '/healthz') return void response.writeHead(200).end('ok\n')
  if (url !== '/metrics') return void response.writeHead(404).end()
  const text = await read()
  response.writeHead(200, { 'content-type': metricsType }).end(text)
}

/** Who asks while it is being read gets the same: many scrapes are one question to the servers. */
function shared(read: () => Promise<string>): () => Promise<string> {
  let reading: Promise<string> | undefined
  return () => (reading ??= read().finally(() => (reading = undefined)))
}
