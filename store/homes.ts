// Where every key has its home. On a laptop the homes are separate folders of one data folder.
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { FunctionDoor } from '../core/network/access-subject.ts'

export interface Homes {
  readonly data: string
  readonly operator: string
  readonly public: string
  readonly run: string
}

/** The folder of this network: outside the repository, and outside the user's own nsc store. */
export function defaultDataDir(network: string, env: NodeJS.ProcessEnv): string {
  const base = env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share')
  return join(base, 'archipelago', network)
}

export function homesOf(data: string): Homes {
  return {
    data,
    operator: join(data, 'operator'),
    public: join(data, 'public'),
    run: join(data, 'run'),
  }
}

export function regionHome(homes: Homes, region: string): string {
  return join(homes.data, region)
}

/** Keys of one function process: nobody else reads this folder. */
export function functionHome(homes: Homes, region: string, door: FunctionDoor): string {
  return join(regionHome(homes, region), 'functions', door)
}

export function leafnodeHome(homes: Homes, region: string): string {
  return join(regionHome(homes, region), 'leafnode')
}

/** In a cluster: the key by which the region's servers may be asked for their figures. */
export function monitorHome(homes: Homes, region: string): string {
  return join(regionHome(homes, region), 'monitor')
}
