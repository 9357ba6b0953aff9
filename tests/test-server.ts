// One nats-server by itself, for variants that the network itself cannot be made to have.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { formatConfiguration, type Configuration } from '../core/network/configuration.ts'
import { startProcess } from '../laptop/process.ts'
import { findTool } from '../laptop/tools.ts'

const startDeadlineMs = 5_000

export interface TestServer extends AsyncDisposable {
  /** Host and port of the client listener. */
  readonly url: string
  readonly folder: string
}

/** Starts nats-server on a free loopback port, which it writes into its ports file. */
export async function startTestServer(configuration: Configuration): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-server-'))
  const file = join(folder, 'nats.conf')
  const listening = {
    listen: '127.0.0.1:-1',
    ports_file_dir: folder,
    log_file: join(folder, 'log'),
  }
  writeFileSync(file, formatConfiguration({ ...listening, ...configuration }, 'one test server'))
  const command = await findTool('nats-server', { report: () => {} })
  const log = join(folder, 'log')
  // Ends with this process, also when ava gives up a file that hangs.
  const running = startProcess({ name: 'test', command, args: ['-c', file], mark: file, log })
  const stop = async (): Promise<void> => {
    running.signal('SIGKILL')
    await running.exited
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    return { url: await readUrl(folder), folder, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function readUrl(folder: string): Promise<string> {
  const deadline = Date.now() + startDeadlineMs
  for (;;) {
    const file = readdirSync(folder).find((name) => name.endsWith('.ports'))
    const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8')
    if (text.endsWith('}')) return (JSON.parse(text) as { nats: string[] }).nats[0] as string
    if (Date.now() > deadline)
      throw new Error(
        `nats-server wrote no ports file:\n${readFileSync(join(folder, 'log'), 'utf8')}`,
      )
    await delay(10)
  }
}
