// A whole network of its own for a test file: real servers, real functions, a temporary data folder.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Archipelago } from '../core/archipelago.ts'
import { parseNetworkFile, type Network } from '../core/access/network-file.ts'
import { startNetwork, type RunningNetwork } from '../laptop/network.ts'
import { findTool } from '../laptop/tools.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { requestCredential, type Credential } from '../requestor/request-credential.ts'
import { readArchipelago } from '../store/archipelago.ts'
import { makeNkeyPair } from '../store/key-file.ts'
import { claimPorts } from './port-block.ts'
import { until } from './until.ts'

/** For a hang: a busy machine is given all the time that its servers give. */
export const dialMsMax = 20_000

const source = new URL('../archipelago.yaml', import.meta.url)

export interface TestNetwork extends RunningNetwork {
  readonly folder: string
  readonly archipelagoFile: string
  readonly network: Network
  /** A new key and a credential for it, from the given region's function. */
  request(options?: {
    name?: string
    role?: string
    region?: string
    transport?: 'nats' | 'https'
  }): Promise<Credential>
  /** Where a region's function is slow another one answers: then it is asked again. */
  requestFrom(region: string): Promise<Credential>
  /** Connects with a credential to a region's servers. */
  connect(credential: Credential, region?: string): Promise<NatsConnection>
}

export interface TestNetworkOptions {
  /** What archipelago.yaml may not say: lives of seconds. */
  readonly change?: (archipelago: Archipelago) => Archipelago
  /** Hears alarms. */
  readonly report?: (line: string) => void
}

/**
 * Starts the network of archipelago.yaml, after `edit`, on ports that nobody uses; `files` lie beside
 * it, by name.
 */
export async function startTestNetwork(
  edit: (yaml: string) => string = (yaml) => yaml,
  files: Readonly<Record<string, string>> = {},
  { change = (read) => read, report = () => {} }: TestNetworkOptions = {},
): Promise<TestNetwork> {
  await using started = new AsyncDisposableStack()
  const folder = started.adopt(mkdtempSync(join(tmpdir(), 'archipelago-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  )
  const { firstPort } = started.use(await claimPorts())
  const archipelagoFile = writeTestArchipelago(folder, { firstPort, edit })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const archipelago = change(readArchipelago(archipelagoFile))
  const natsServer = await findTool('nats-server', { report: () => {} })
  const data = join(folder, 'data')
  const running = started.use(await startNetwork({ archipelago, data, natsServer, report }))
  const network = parseNetworkFile(readFileSync(running.networkFile, 'utf8'))
  const request: TestNetwork['request'] = (options = {}) => {
    const { name = 'alice', role = 'member', region, transport } = options
    return requestCredential({
      network,
      name,
      role,
      pair: makeNkeyPair('user'),
      ...(region !== undefined && { region }),
      ...(transport !== undefined && { transport }),
    })
  }
  const all = started.move()
  return {
    ...running,
    folder,
    archipelagoFile,
    network,
    request,
    requestFrom: (region) => answeredBy(region, () => request({ region })),
    connect: ({ creds }, region) =>
      connectWithCreds(
        {
          ...{ servers: serversOf(network, region), ca: network.file.ca, name: 'test' },
          timeoutMs: dialMsMax,
        },
        () => creds,
      ),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Asks until the region answers itself. */
export function answeredBy(region: string, ask: () => Promise<Credential>): Promise<Credential> {
  return until(`${region} answers`, async () => {
    const credential = await ask()
    return credential.region === region && credential
  })
}

/** Writes archipelago.yaml, after `edit`, with ports from `firstPort` on, and returns its path. */
export function writeTestArchipelago(
  folder: string,
  { firstPort, edit = (yaml) => yaml }: { firstPort: number; edit?: (yaml: string) => string },
): string {
  const file = join(folder, 'archipelago.yaml')
  const yaml = edit(readFileSync(source, 'utf8'))
  writeFileSync(file, yaml.replace(/firstPort: \d+/, `firstPort: ${firstPort}`))
  return file
}

export function serversOf({ file }: Network, region?: string): string[] {
  const regions = file.regions.filter(({ name }) => region === undefined || name === region)
  return regions.flatMap(({ servers }) => servers)
}
