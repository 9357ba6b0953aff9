import { createServer } from 'node:net'
import { Refusal } from '../core/errors.ts'
import { formatHostPort, type Endpoint } from '../core/network/endpoint.ts'

export interface Listener {
  readonly endpoint: Endpoint
  /** What will listen there, as in `gateways of ams3-0`. */
  readonly purpose: string
}

/** Refuses the first listener whose port somebody else holds, or whose address this machine does not have. */
export async function refuseTakenPorts(listeners: readonly Listener[]): Promise<void> {
  const faults = await Promise.all(listeners.map(({ endpoint }) => tryPort(endpoint)))
  const at = faults.findIndex((fault) => fault !== undefined)
  const [listener, fault] = [listeners[at], faults[at]]
  if (listener === undefined || fault === undefined) return
  const where = formatHostPort(listener.endpoint.listen, listener.endpoint.port)
  if (fault.code === 'EADDRINUSE') {
    const what = `port taken: ${where} (${listener.purpose})`
    throw new Refusal('ERR_PORT_TAKEN', what, { cause: fault })
  }
  const what = `cannot listen: ${where} (${fault.code})`
  throw new Refusal('ERR_ADDRESS_UNUSABLE', what, { cause: fault })
}

function tryPort({ listen, port }: Endpoint): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host: listen, port, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    )
  })
}
