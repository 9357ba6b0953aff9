// The thread of a flood: all requests at once, over one connection.
import { parentPort, workerData } from 'node:worker_threads'
import { parseCreds } from '../../core/trust/creds.ts'
import { connectWithCreds } from '../../nats/connect.ts'

interface Flood {
  readonly creds: string
  readonly servers: readonly string[]
  readonly ca: string
  readonly subject: string
  readonly bytes: Uint8Array
  readonly count: number
}

const { creds, servers, ca, subject, bytes, count } = workerData as Flood
const lobby = parseCreds(creds)
const inboxPrefix = '_INBOX'
const options = { inboxPrefix, noRandomize: true }
const nc = await connectWithCreds({ servers, ca, name: 'flood', options }, () => lobby)
const reply = `${inboxPrefix}.flood`
nc.subscribe(reply, { callback: () => {} })
for (let sent = 0; sent < count; sent += 1) nc.publish(subject, bytes, { reply })
await nc.flush()
parentPort?.postMessage('sent')
