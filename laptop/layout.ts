// Where the files of the network's processes lie in the data directory.
import { join } from 'node:path'
import type { LeafnodePlace, ServerPlace } from '../core/network/endpoint.ts'
import type { KeyFiles } from '../core/network/tls.ts'

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

interface Process {
  readonly name: string
  readonly region: string
}

/** A process's identity, with the authority above it. */
export const identityPaths = (data: string, process: Process): KeyFiles =>
  leafPaths(data, process.region, process.name)

/** What a process shows to outside clients. */
export const publicPaths = (data: string, process: Process): KeyFiles =>
  leafPaths(data, process.region, `${process.name}.public`)

/** Whom a region's functions trust: the authorities of its own, at a path that stays. */
export const trustFile = (data: string, region: string): string =>
  join(tlsFolder(data, region), 'authorities.pem')

export const tlsFolder = (data: string, region: string): string => join(data, region, 'tls')

function leafPaths(data: string, region: string, name: string): KeyFiles {
  const folder = tlsFolder(data, region)
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
}

export const runDirectory = (data: string) => join(data, 'run')

const processPaths = (directory: string) => ({
  directory,
  configuration: join(directory, 'nats.conf'),
  log: join(directory, 'nats.log'),
})
