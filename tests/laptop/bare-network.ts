// Servers to start in a temporary folder, without functions, on ports that nobody holds.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Archipelago, parseArchipelago } from '../../core/archipelago.ts'
import { placeNetwork } from '../../core/network/endpoint.ts'
import type { Creds } from '../../core/trust/creds.ts'
import { type NkeyPair, nkeyPairFrom } from '../../core/trust/nkey.ts'
import { leafnodePaths } from '../../laptop/layout.ts'
import type { SuperclusterOptions } from '../../laptop/supercluster.ts'
import { findTool } from '../../laptop/tools.ts'
import { connectWithCreds, type NatsConnection } from '../../nats/connect.ts'
import { rootsFile } from '../../store/authority-files.ts'
import { writePrivate } from '../../store/files.ts'
import { homesOf } from '../../store/homes.ts'
import { claimPorts } from '../port-block.ts'
import { type BareTrust, credsText, makeBareTrust } from './bare-trust.ts'

export interface BareNetwork extends AsyncDisposable, Omit<BareTrust, 'network'> {
  readonly data: string
  readonly archipelago: Archipelago
  readonly options: SuperclusterOptions
  /** The key of every region's function. */
  readonly functionKey: NkeyPair<'user'>
  connect(user: Creds, servers: readonly string[]): Promise<NatsConnection>
}

export interface BareSize {
  readonly regions?: number
  readonly servers?: number
}

export async function makeBareNetwork(size: BareSize = {}): Promise<BareNetwork> {
  const data = mkdtempSync(join(tmpdir(), 'archipelago-'))
  const ports = await claimPorts()
  const archipelago = readArchipelago(size, ports.firstPort)
  const functionKey = nkeyPairFrom('user', randomBytes(32))
  const { network, ...trust } = await makeBareTrust()
  for (const { leafnode } of placeNetwork(archipelago, 'laptop')) {
    writePrivate(leafnodePaths(data, leafnode).credentials, credsText(trust.leafnode))
  }
  const dial = (user: Creds, servers: readonly string[]) => {
    const ca = readFileSync(rootsFile(homesOf(data).public, 'public'), 'utf8')
    return connectWithCreds({ servers, ca, name: 'test' }, () => user)
  }
  const options: SuperclusterOptions = {
    archipelago,
    data,
    natsServer: await findTool('nats-server', { report: () => {} }),
    trust: network,
    access: { account: 'ACCESS', functions: functionsOf(archipelago, functionKey) },
    doors: ['lobby', 'invite'],
    observe: (servers) => dial(trust.observer, servers),
  }
  return {
    ...{ data, archipelago, options, functionKey, connect: dial, ...trust },
    [Symbol.asyncDispose]: async () => {
      await ports[Symbol.asyncDispose]()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function readArchipelago({ regions = 3, servers = 3 }: BareSize, firstPort: number): Archipelago {
  const file = join(import.meta.dirname, '../../archipelago.yaml')
  const archipelago = parseArchipelago(readFileSync(file, 'utf8'), file)
  const fewer = archipelago.regions.slice(0, regions).map((region) => ({ ...region, servers }))
  return { ...archipelago, regions: fewer, laptop: { ...archipelago.laptop, firstPort } }
}

function functionsOf({ regions }: Archipelago, key: NkeyPair) {
  const user = {
    publicKey: key.publicKey,
    publish: ['_INBOX.>', '_R_.>'],
    subscribe: ['chat.req.>'],
  }
  return new Map(regions.map(({ name }) => [name, [user]]))
}
