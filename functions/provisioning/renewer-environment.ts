import { homesOf } from '../../store/homes.ts'
import { renewerPlace, type RenewerPlace } from '../../store/leafnode.ts'
import { need } from './needed-variable.ts'

/** What the renewer of a region's leafnode is told. */
export function parseRenewerEnvironment(env: NodeJS.ProcessEnv) {
  return {
    region: need(env, 'ARCHIPELAGO_REGION'),
    publicFolder: need(env, 'ARCHIPELAGO_PUBLIC'),
    place: parseRenewerPlace(env),
  }
}

/** In a pod both are named; else they are in the region's home, in the folder of all homes. */
function parseRenewerPlace(env: NodeJS.ProcessEnv): RenewerPlace {
  const home = env['LEAFNODE_HOME']
  if (home) return { home, credentials: need(env, 'LEAFNODE_CREDENTIALS') }
  return renewerPlace(homesOf(need(env, 'ARCHIPELAGO_DATA')), need(env, 'ARCHIPELAGO_REGION'))
}
