// One nats-server by itself, for variants that the network itself cannot be made to have.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { formatConfiguration, type Configuration } from '../core/network/configuration.ts'
import { startProcess } from '../laptop/process.ts'
import { findTool } from '../laptop/tools.ts'
import { until } from './until.ts'

const startDeadlineMs = 30_000

export interface TestServer extends AsyncDisposable {
  /** Host and port of the client listener. */
  readonly url: string
  readonly folder: string
  /** Makes it run another configuration without ending its connections; refuses when it does not. */
  reload(configuration: Configuration): Promise<void>
}

/** Starts nats-server on a free loopback port, which it writes into its ports file. */
export async function startTestServer(
  configuration: Configuration,
  included: readonly string[] = [],
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'archipelago-server-'))
  const file = join(folder, 'nats.conf')
  const listening = {
    listen: '127.0.0.1:-1',
    ports_file_dir: folder,
    log_file: join(folder, 'log'),
  }
  const includes = included.map((path) => relative(folder, path))
  const write = (all: Configuration) =>
    writeFileSync(file, formatConfiguration(all, 'one server', includes))
  write({ ...listening, ...configuration })
  const command = await findTool('nats-server', { report: () => {} })
  const log = join(folder, 'log')
  // Ends with this process, also when ava gives up a file that hangs.
  const running = startProcess({ name: 'test', command, args: ['-c', file], mark: file, log })
  const stop = async (): Promise<void> => {
    running.signal('SIGKILL')
    await running.exited
    rmSync(folder, { recursive: true, force: true })
  }
  const reload = async (next: Configuration, url: string): Promise<void> => {
    const before = readFileSync(log, 'utf8').length
    write({ ...listening, listen: new URL(url).host, ...next })
    running.signal('SIGHUP')
    await until('the server reloads', () =>
      /Reloaded server configuration/.test(readFileSync(log, 'utf8').slice(before)),
    )
  }
  try {
    const url = await readUrl(folder)
    return { url, folder, reload: (next) => reload(next, url), [Symbol.asyncDispose]: stop }
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
