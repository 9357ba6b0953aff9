// A whole network of its own for a test file: real servers, real functions, a temporary data folder.
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseNetworkFile, type Network } from '../core/access/network-file.ts'
import { parseArchipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import { startNetwork, type RunningNetwork } from '../laptop/network.ts'
import { findTool } from '../laptop/tools.ts'
import { connectWithCreds, type NatsConnection } from '../nats/connect.ts'
import { requestCredential, type Credential } from '../requestor/request-credential.ts'
import { makeNkeyPair } from '../store/key-file.ts'

const source = new URL('../archipelago.yaml', import.meta.url)
const tries = 5

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
  /** Connects with a credential to a region's servers. */
  connect(credential: Credential, region?: string): Promise<NatsConnection>
}

/** Starts the network of archipelago.yaml, after `edit`, on ports that nobody uses. */
export async function startTestNetwork(
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<TestNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-'))
  for (let left = tries; ; left -= 1) {
    try {
      return await startIn(folder, edit)
    } catch (error) {
      const isTaken = error instanceof Refusal && error.code === 'ERR_PORT_TAKEN'
      if (isTaken && left > 1) continue
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }
}

async function startIn(folder: string, edit: (yaml: string) => string): Promise<TestNetwork> {
  const { archipelagoFile } = writeTestArchipelago(folder, edit)
  const archipelago = parseArchipelago(readFileSync(archipelagoFile, 'utf8'), archipelagoFile)
  const natsServer = await findTool('nats-server', { report: () => {} })
  const data = join(folder, 'data')
  const running = await startNetwork({ archipelago, data, natsServer })
  const network = parseNetworkFile(readFileSync(running.networkFile, 'utf8'))
  return {
    ...running,
    folder,
    archipelagoFile,
    network,
    request: ({ name = 'alice', role = 'member', region, transport } = {}) =>
      requestCredential({
        network,
        name,
        role,
        pair: makeNkeyPair('user'),
        ...(region !== undefined && { region }),
        ...(transport !== undefined && { transport }),
      }),
    connect: ({ creds }, region) =>
      connectWithCreds(
        { servers: serversOf(network, region), ca: network.file.ca, name: 'test' },
        () => creds,
      ),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** archipelago.yaml, after `edit`, on ports that are probably free. */
export function writeTestArchipelago(
  folder: string,
  edit: (yaml: string) => string = (yaml) => yaml,
): { archipelagoFile: string; firstPort: number } {
  const archipelagoFile = join(folder, 'archipelago.yaml')
  const firstPort = freeBlock()
  const yaml = edit(readFileSync(source, 'utf8'))
  writeFileSync(archipelagoFile, yaml.replace(/firstPort: \d+/, `firstPort: ${firstPort}`))
  return { archipelagoFile, firstPort }
}

export function serversOf({ file }: Network, region?: string): string[] {
  const regions = file.regions.filter(({ name }) => region === undefined || name === region)
  return regions.flatMap(({ servers }) => servers)
}

/** Below the range from which outgoing connections take their ports; three regions need 300. */
function freeBlock(): number {
  return 15_000 + 500 * randomInt(34)
}
