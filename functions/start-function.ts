// One door of one region: its trust, its connection to the leafnode server, its HTTPS listener.
import { connectWithNkey } from '../nats/connect.ts'
import { openFiles } from '../store/files.ts'
import { requireKey } from '../store/key-file.ts'
import { functionKeyFile } from '../store/region.ts'
import { openAudit } from './audit.ts'
import type { FunctionEnvironment } from './environment.ts'
import type { Provisioning } from './provision-credentials.ts'
import { serveHttps } from './triggers/https.ts'
import { serveNats } from './triggers/nats.ts'
import { openTrustSource } from './trust-source.ts'

/** Serves until disposed; what was asked before is still answered. */
export async function startFunction({
  region,
  door,
  folders,
  nats,
  https,
}: FunctionEnvironment): Promise<AsyncDisposable & { readonly place: string }> {
  await using started = new AsyncDisposableStack()
  const report = (line: string): void => console.error(`provision-credentials: ${line}`)
  const trust = started.use(openTrustSource(folders, { door, report }))
  const provisioning: Provisioning = {
    region,
    door,
    trust: () => trust.current(),
    nowMs: Date.now,
    audit: openAudit({ region, door }, (line) => void process.stdout.write(`${line}\n`)),
  }
  const pair = requireKey(openFiles(), 'user', functionKeyFile(folders.keysFolder))
  const name = `provision-credentials ${door} ${region}`
  const options = { waitOnFirstConnect: true, reconnectTimeWait: 100 }
  const nc = await connectWithNkey({ ...nats, name, options }, pair)
  started.use(serveNats(nc, provisioning, { trust, nkey: pair.publicKey }))
  if (https !== undefined) started.use(await serveHttps(https, provisioning))
  const running = started.move()
  return { place: `${door} of ${region}`, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
