// A place on the internet from which the tests reach the regions as their users do.
import { hash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { client } from './addresses.ts'
import { namespaceFile } from './clean.ts'
import { names } from './network.ts'
import type { LabPlace } from './place.ts'
import { run, type RunOptions } from './run.ts'

/** Name → addresses, as DNS would have them. */
export type Hosts = Readonly<Record<string, readonly string[]>>

export interface Client {
  readonly address: string
  /** The words before a program's own that make it run there, for those who start it themselves. */
  readonly prefix: readonly string[]
  /** The same, where names are known, too. */
  placed(hosts: Hosts): readonly string[]
  run(command: string, args: readonly string[], options?: RunOptions): Promise<string>
}

export function openClient(place: LabPlace): Client {
  const prefix = ['nsenter', `--net=${namespaceFile(names.client(place.id))}`]
  return {
    address: client.client,
    prefix,
    placed: (hosts) => [...prefix, ...withHosts(place, hosts)],
    run: (command, args, options) => {
      const [program = '', ...rest] = [...prefix, command, ...args]
      return run(program, rest, options)
    },
  }
}

/** The program sees a hosts file of its own: one that others read meanwhile is not written again. */
function withHosts(place: LabPlace, hosts: Hosts): string[] {
  const lines = Object.entries(hosts).flatMap(([name, all]) => all.map((each) => `${each} ${name}`))
  const text = `127.0.0.1 localhost\n${lines.join('\n')}\n`
  const file = join(place.folder, `hosts-${hash('sha256', text).slice(0, 16)}`)
  if (!existsSync(file)) writeFileSync(file, text)
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  return ['unshare', '--mount', 'sh', '-c', script, file]
}
