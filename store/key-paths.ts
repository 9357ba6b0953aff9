// Which file a key of a region's home is in.
import { join } from 'node:path'

/** A function's identity at its leafnode server. */
export function functionKeyFile(functionFolder: string): string {
  return join(functionFolder, 'function.nk')
}

/** To which tokens for a function are sealed. */
export function tokenKeyFile(functionFolder: string): string {
  return join(functionFolder, 'token.key')
}

/** The files of a key while it is replaced: published but not yet signing, and no longer signing. */
export interface RotatedKey {
  readonly current: string
  readonly next: string
  readonly previous: string
}

export function signingKey(functionFolder: string, role: string): RotatedKey {
  return rotatedKey(join(functionFolder, 'signing', role))
}

export function leafnodeSigningKey(leafnodeFolder: string): RotatedKey {
  return rotatedKey(join(leafnodeFolder, 'signing', 'leafnode'))
}

export function monitorSigningKey(monitorFolder: string): string {
  return join(monitorFolder, 'signing', 'monitor.nk')
}

function rotatedKey(path: string): RotatedKey {
  return { current: `${path}.nk`, next: `${path}.next.nk`, previous: `${path}.previous.nk` }
}
