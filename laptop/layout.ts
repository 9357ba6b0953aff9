// Where the files of the network's processes lie in the data directory.
import { join } from 'node:path'
import type { LeafnodePlace, ServerPlace } from '../core/network/endpoint.ts'
import type { TlsFiles } from '../core/network/tls.ts'

export interface ServerPaths {
  readonly directory: string
  readonly configuration: string
  readonly log: string
  readonly resolver: string
}

export function serverPaths(data: string, { region, index }: ServerPlace): ServerPaths {
  const directory = join(data, region, 'servers', String(index))
  return { ...processPaths(directory), resolver: join(directory, 'resolver') }
}

export interface LeafnodePaths {
  readonly directory: string
  readonly configuration: string
  readonly log: string
  readonly credentials: string
}

export function leafnodePaths(data: string, { region }: LeafnodePlace): LeafnodePaths {
  const directory = join(data, region, 'leafnode')
  return { ...processPaths(directory), credentials: join(directory, 'leafnode.creds') }
}

/** A process's certificate and key, and the authority that all trust. */
export function tlsPaths(data: string, process: { name: string; region: string }): TlsFiles {
  const directory = join(data, process.region, 'tls')
  return {
    certificate: join(directory, `${process.name}.crt`),
    key: join(directory, `${process.name}.key`),
    trusted: authorityPaths(data).certificate,
  }
}

export function authorityPaths(data: string) {
  return {
    certificate: join(data, 'public', 'ca.crt'),
    key: join(data, 'operator', 'tls', 'ca.key'),
  }
}

export const runDirectory = (data: string) => join(data, 'run')

const processPaths = (directory: string) => ({
  directory,
  configuration: join(directory, 'nats.conf'),
  log: join(directory, 'nats.log'),
})
