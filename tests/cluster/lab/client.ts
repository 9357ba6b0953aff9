// A place on the internet from which the tests reach the regions as their users do.
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { client } from './addresses.ts'
import { namespaceFile } from './clean.ts'
import { names } from './network.ts'
import type { LabPlace } from './place.ts'
import { run, type RunOptions } from './run.ts'

export interface ClientOptions extends RunOptions {
  /** Name → address, as DNS would have it. */
  readonly hosts?: Readonly<Record<string, string>>
}

export interface Client {
  readonly address: string
  /** The words before a program's own that make it run there, for those who start it themselves. */
  readonly prefix: readonly string[]
  run(command: string, args: readonly string[], options?: ClientOptions): Promise<string>
}

export function openClient(place: LabPlace): Client {
  const prefix = ['nsenter', `--net=${namespaceFile(names.client(place.id))}`]
  return {
    address: client.client,
    prefix,
    run: (command, args, { hosts, ...options } = {}) => {
      const named = hosts === undefined ? [] : withHosts(place, hosts)
      const [program = '', ...rest] = [...prefix, ...named, command, ...args]
      return run(program, rest, options)
    },
  }
}

/** The program sees a hosts file of its own. */
function withHosts(place: LabPlace, hosts: Readonly<Record<string, string>>): string[] {
  const file = join(place.folder, 'client-hosts')
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}`)
  writeFileSync(file, `127.0.0.1 localhost\n${lines.join('\n')}\n`)
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  return ['unshare', '--mount', 'sh', '-c', script, file]
}
